// What the page is doing, in words: seen at the bottom, and read out by screen readers.

import { at, h } from "./dom.js";

let ticking = 0;

/** Say what has happened; `actions` are [label, function] buttons beside it. */
export function say(text, actions = []) {
  clearInterval(ticking);
  const buttons = actions.map(([label, act]) => h("button", { type: "button", onclick: act }, label));
  const close = h("button", { type: "button", class: "quiet", "aria-label": "Close", onclick: hush }, "✕");
  at("status").replaceChildren(h("p", {}, text), ...buttons, close);
}

/** Say what is being done until the next word; seconds count where nobody is read to. */
export function working(text) {
  clearInterval(ticking);
  const seconds = h("span", { class: "seconds", "aria-hidden": "true" });
  const began = Date.now();
  ticking = setInterval(() => {
    seconds.textContent = ` ${Math.round((Date.now() - began) / 1000)} s`;
  }, 1000);
  at("status").replaceChildren(h("p", { class: "busy" }, text, seconds));
}

/** Say what is on the screen already, to those who do not see it. */
export function announce(text) {
  clearInterval(ticking);
  at("status").replaceChildren(h("p", { class: "unseen" }, text));
}

/** Nothing to say. */
export function hush() {
  clearInterval(ticking);
  at("status").replaceChildren();
}

/** A failure in place of what was asked for, with a way to try again. */
export function trouble(failure, again) {
  return h(
    "section",
    { class: "panel trouble", role: "alert" },
    h("h2", {}, failure.title ?? "The page failed"),
    h("p", {}, failure.detail ?? String(failure)),
    again && h("button", { type: "button", onclick: again }, "Try again"),
  );
}
