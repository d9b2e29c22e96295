// A form to say what an image is.

import { label } from "./decide.js";
import { h } from "./dom.js";

/** A form that labels `hit`; `sent()` is called as it is sent, `then()` when it is in force. */
export function labelling(hit, sent, then) {
  const said = h("select", {}, ["fake", "real"].map((name) => h("option", { selected: name === hit.label }, name)));
  const family = h("input", { value: hit.family, autocomplete: "off", list: "family-names", maxlength: "200" });
  const ofFakes = () => {
    family.disabled = said.value === "real";
  };
  said.addEventListener("change", ofFakes);
  ofFakes();
  const onsubmit = (event) => {
    event.preventDefault();
    sent();
    label([hit.sha256], said.value, family.disabled ? null : family.value.trim() || null, then);
  };
  return h(
    "form",
    { class: "row labelling", onsubmit },
    h("label", {}, "This image is ", said),
    h("label", {}, "of the family ", family),
    h("button", {}, "Save the label"),
  );
}
