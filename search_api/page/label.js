// What an analyst says of an image: sent, said, and taken back on request.

import { askJson } from "./api.js";
import { h } from "./dom.js";
import { say, working } from "./status.js";
import { shortName } from "./words.js";

/** A form that labels `hit`; `done()` is called as it is sent, `changed()` when it has been. */
export function labelling(hit, done, changed) {
  const said = h("select", {}, ["fake", "real"].map((name) => h("option", { selected: name === hit.label }, name)));
  const family = h("input", { value: hit.family, autocomplete: "off", maxlength: "200" });
  const ofFakes = () => {
    family.disabled = said.value === "real";
  };
  said.addEventListener("change", ofFakes);
  ofFakes();
  const onsubmit = (event) => {
    event.preventDefault();
    done();
    label(hit, { label: said.value, family: family.disabled ? null : family.value.trim() || null }, changed);
  };
  return h(
    "form",
    { class: "row labelling", onsubmit },
    h("label", {}, "This image is ", said),
    h("label", {}, "of the family ", family),
    h("button", {}, "Save the label"),
  );
}

async function label(hit, now, changed) {
  working("Writing the label");
  try {
    await askJson("v1/labels", { method: "POST", body: { images: [hit.sha256], ...now } });
  } catch (failure) {
    say(`${failure.title}: ${failure.detail}`);
    return;
  }
  await changed();
  const before = { label: hit.label, family: hit.label === "real" ? null : hit.family };
  const undo = [["Undo", () => label({ ...hit, ...now }, before, changed)]];
  const words = [now.label, now.family && `of the family ${now.family}`].filter(Boolean).join(", ");
  say(`${shortName(hit.uri)} is labelled ${words}.`, canBeSaid(before, now) ? undo : []);
}

// A label can be replaced, not withdrawn: what was unknown before cannot be made so again.
const canBeSaid = (before, now) =>
  before.label === "real" || (before.label !== null && (before.family !== null || now.family === null));
