// Whether a hit belongs to the family that it is in: to keep it there, or out of it.

import { askJson } from "./api.js";
import { pin, reject } from "./decide.js";
import { h } from "./dom.js";
import { familyOf } from "./hits.js";
import { trouble } from "./status.js";

/** Buttons that pin `hit` to its family or reject it; empty where it is in none. */
export function belonging(hit, sent, then) {
  const place = h("p", { class: "row" });
  if (familyOf(hit)) {
    fill(place, hit, sent, then).catch((failure) => place.replaceChildren(trouble(failure)));
  }
  return place;
}

async function fill(place, hit, sent, then) {
  const name = encodeURIComponent(familyOf(hit));
  const { families: [family] } = await askJson(`v1/families?name=${name}`);
  if (!family) return; // it is only a label, until families are built
  const act = (text, decide) => h("button", {
    type: "button",
    onclick: () => {
      sent();
      decide([hit.sha256], family, then);
    },
  }, text);
  place.append(
    h("a", { href: `#/families/${family.id}`, onclick: sent }, `Family ${family.name}`),
    act("Keep it in this family", pin),
    act("It does not belong there", reject),
  );
}
