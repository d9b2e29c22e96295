// The members of a family, to look at and to tick.

import { askJson } from "./api.js";
import { reject, split } from "./decide.js";
import { h } from "./dom.js";
import { thumbnail } from "./picture.js";
import { say, trouble } from "./status.js";

const PAGE = 60;

/** The members of the family `found`, strongest first; `then()` is called after a decision. */
export function members(found, then) {
  const list = h("ul", { class: "faces" });
  const more = h("button", { type: "button" }, "More members");
  more.onclick = () => fill(found, list, more);
  fill(found, list, more);
  const act = (text, decide) => h("button", { type: "button", onclick: () => decideTicked(list, found, decide, then) }, text);
  return h("section", { "aria-labelledby": "members" },
    h("h3", { id: "members" }, "Members, strongest first"),
    list,
    h("p", { class: "row" }, more, act("The ticked do not belong here", reject), act("Split off the ticked", split)),
  );
}

/** A thumbnail that leads to a search with its image. */
export const face = (sha256) =>
  h("a", { href: `#/image/${sha256}` }, thumbnail(sha256, `Search with image ${sha256.slice(0, 8)}`));

function decideTicked(list, found, decide, then) {
  const ticked = [...list.querySelectorAll("input:checked")].map((box) => box.value);
  if (ticked.length) decide(ticked, found, then);
  else say("Tick images first.");
}

async function fill(found, list, more) {
  more.disabled = true;
  try {
    const cursor = more.value && `&cursor=${more.value}`;
    const page = await askJson(`v1/families/${found.id}/members?limit=${PAGE}${cursor}`);
    list.append(...page.members.map(member));
    more.value = page.next ?? "";
    more.hidden = page.next === null;
  } catch (failure) {
    list.append(h("li", {}, trouble(failure)));
  }
  more.disabled = false;
}

function member({ sha256, strength, said }) {
  const box = h("input", { type: "checkbox", value: sha256, "aria-label": `Tick image ${sha256.slice(0, 8)}` });
  return h("li", {}, face(sha256), h("label", { title: said ? "by somebody's word" : "as found" }, box, ` ${strength.toFixed(2)}`));
}
