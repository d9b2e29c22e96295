// One family: what it is, its faces and members, and what an analyst can decide of it.

import { askJson } from "./api.js";
import { merge, rename } from "./decide.js";
import { facts, h } from "./dom.js";
import { face, members } from "./members.js";
import { counted, percent, when } from "./words.js";

const NAMED = {
  analyst: "by an analyst",
  label: "after the label of most members",
  metadata: "after the metadata that set it apart",
  code: "by a code, since nothing sets it apart",
};

/** The family `id`; `known` are all families, `then()` is called after every decision. */
export async function family(id, known, then) {
  const { family: found, lineage } = await askJson(`v1/families/${id}`);
  const names = Object.fromEntries(known.map((other) => [other.id, other.name]));
  return h(
    "article",
    { class: "panel family", "aria-labelledby": "family-title" },
    h("h2", { id: "family-title" }, found.name),
    about(found, names),
    h("h3", {}, "Exemplars: the most typical, then the most different"),
    h("ul", { class: "faces" }, found.exemplars.map((sha256) => h("li", {}, face(sha256)))),
    decisions(found, known, then),
    members(found, then),
    history(lineage, names),
  );
}

function about(found, names) {
  const near = found.nearest.map(([id, similarity]) =>
    h("li", {}, h("a", { href: `#/families/${id}` }, names[id] ?? id), ` ${similarity.toFixed(2)}`));
  return facts([
    ["Members", counted(found.size, "image")],
    ["Named", NAMED[found.name_from]],
    ["Purity", found.purity !== null && `${percent(found.purity)} of its ${counted(found.labelled, "labelled member")} carry one label`],
    ["Likely fake", found.fake_share !== null && `${percent(found.fake_share)} of its members`],
    ["Cohesion", found.cohesion !== null && `${found.cohesion.toFixed(2)}, the mean similarity of two members`],
    ["Stability", found.stability !== null && `${percent(found.stability)} is found again when a fifth of the images is left out`],
    ["Captured", found.first_seen && `${when(found.first_seen)} to ${when(found.last_seen)}`],
    ["Nearest", near.length > 0 && h("ul", { class: "inline" }, near)],
  ]);
}

function decisions(found, known, then) {
  const others = known.filter(({ id }) => id !== found.id);
  const name = h("input", { value: found.name, required: true, maxlength: 200 });
  const into = h("select", {}, others.map((other) => h("option", { value: other.id }, other.name)));
  const target = () => others.find(({ id }) => id === into.value);
  return h(
    "details",
    {},
    h("summary", {}, "Rename or merge"),
    form(() => rename(found, name.value, then), h("label", {}, "Name ", name), h("button", {}, "Rename")),
    others.length > 0 &&
      form(() => merge(found, target(), then), h("label", {}, "Merge into ", into), h("button", {}, "Merge")),
  );
}

function form(send, ...fields) {
  const onsubmit = (event) => {
    event.preventDefault();
    send();
  };
  return h("form", { class: "row labelling", onsubmit }, fields);
}

function history(lineage, names) {
  if (!lineage.length) return null;
  const called = (id) => (id === null ? "no family" : names[id] ?? id);
  const items = lineage.map(({ generation, kind, before, after, images }) =>
    h("li", {}, `Generation ${generation}: ${kind}, ${counted(images, "image")} from ${called(before)} to ${called(after)}`));
  return h("details", {}, h("summary", {}, "What became of it"), h("ul", {}, items));
}
