// The API key: asked for when the service wants one, kept for this tab, sent to this service only.

import { at, h } from "./dom.js";

const KEPT = "lineup-key";
let asking = null; // the promise of a key while its dialog is open
let declined = false; // whoever has said no is not asked again for every picture

/** The headers that carry the key, if there is one. */
export function keyHeaders() {
  const key = sessionStorage.getItem(KEPT);
  return key ? { Authorization: `Bearer ${key}` } : {};
}

/** Ask for a key; `why` says what is wrong with the one in use. Gives true once one is given, false if the reader declines. */
export function askForKey(why) {
  if (declined) return false;
  asking ??= opened(why).finally(() => {
    asking = null;
  });
  return asking;
}

/** Show whether a key is in use, with a way to forget it, or to give one after all. */
export function showKey() {
  const kept = sessionStorage.getItem(KEPT) !== null;
  at("use-key").hidden = !kept && !declined;
  at("use-key").textContent = kept ? "Forget the key" : "Give a key";
  at("use-key").onclick = () => {
    sessionStorage.removeItem(KEPT);
    location.reload();
  };
}

function opened(why) {
  const dialog = at("key");
  const input = h("input", { id: "key-text", type: "password", autocomplete: "off", pattern: "[!-~]+", required: true });
  const form = h(
    "form",
    { method: "dialog", class: "stack" },
    h("h2", { id: "key-title" }, "This service asks for an API key"),
    why && h("p", { role: "alert" }, why),
    h("label", { for: "key-text" }, "API key"),
    input,
    h("p", { class: "quiet" },
      "It is kept until this tab is closed and sent to this service only. ",
      "Whoever runs the service makes one with search-api keys add."),
    h("p", { class: "row" },
      h("button", { class: "primary", value: "use" }, "Use this key"),
      h("button", { value: "", formnovalidate: true }, "Go on without")),
  );
  dialog.replaceChildren(form);
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.onclose = () => {
      const given = dialog.returnValue === "use";
      declined = !given;
      if (given) sessionStorage.setItem(KEPT, input.value.trim());
      showKey();
      resolve(given);
    };
  });
}
