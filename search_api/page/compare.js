// One hit beside the image that was asked about.

import { askJson } from "./api.js";
import { belonging } from "./belonging.js";
import { at, digest, facts, h } from "./dom.js";
import { badge, boxed, evidence, familyOf } from "./hits.js";
import { labelling } from "./label.js";
import { whatMatched } from "./maps.js";
import { outline } from "./region.js";
import { trouble } from "./status.js";
import { size, when } from "./words.js";

/**
 * Open the hit of `rank` (0 is the nearest) beside `image`; arrow keys turn to its neighbours.
 * `changed()` is called when something was said of it.
 */
export function compare(answer, rank, image, changed) {
  const dialog = at("hit");
  const turn = (by) => {
    const next = rank + by;
    if (next >= 0 && next < answer.hits.length) compare(answer, next, image, changed);
  };
  dialog.onkeydown = (event) => {
    if (event.target.closest("input, select, textarea")) return;
    if (event.key === "ArrowLeft") turn(-1);
    if (event.key === "ArrowRight") turn(1);
  };
  dialog.replaceChildren(...content(answer, rank, image, turn, changed));
  if (!dialog.open) dialog.showModal();
}

function content(answer, rank, image, turn, changed) {
  const hit = answer.hits[rank];
  const step = (by, label, sign) =>
    h("button", { type: "button", "aria-label": label, disabled: !answer.hits[rank + by], onclick: () => turn(by) }, sign);
  const more = h("div", { "aria-busy": "true" }, h("p", { class: "quiet" }, "Reading what is known of it…"));
  describe(hit.sha256, answer.generation, more);
  return [
    h(
      "header",
      {},
      h("h2", { id: "hit-title" }, `Hit ${rank + 1} of ${answer.hits.length}: ${familyOf(hit) ?? "no family"} `, badge(hit.label)),
      h("p", { class: "row" }, step(-1, "Nearer hit", "←"), step(1, "Farther hit", "→"),
        h("button", { type: "button", "aria-label": "Close", onclick: close }, "✕")),
    ),
    h(
      "div",
      { class: "pair" },
      h("figure", {}, asked(image, answer.region), h("figcaption", {}, "Asked about")),
      h("figure", {}, boxed(hit, `Hit ${rank + 1}`), h("figcaption", {}, `Hit ${rank + 1}`)),
    ),
    evidence(hit, answer.query_sha256),
    h("p", { class: "row" },
      h("a", { class: "button", href: `#/image/${hit.sha256}`, onclick: close }, "Search with this image")),
    whatMatched(image, hit, answer.generation),
    labelling(hit, close, changed),
    belonging(hit, close, changed),
    more,
  ];
}

const close = () => at("hit").close();

function asked({ url, sha256 }, region) {
  const alt = "The image that was asked about";
  if (sha256) return boxed({ sha256, region }, alt);
  const canvas = h("span", { class: "canvas" });
  const onload = ({ target }) =>
    region && canvas.append(outline(region, { width: target.naturalWidth, height: target.naturalHeight }));
  canvas.append(h("img", { src: url, alt, onload }));
  return h("span", { class: "picture" }, canvas);
}

async function describe(sha256, generation, place) {
  try {
    const known = await askJson(`v1/images/${sha256}?generation=${generation}`);
    place.replaceChildren(details(known));
  } catch (failure) {
    place.replaceChildren(trouble(failure, () => describe(sha256, generation, place)));
  }
  place.removeAttribute("aria-busy");
}

function details({ sha256, uris, facts: file, annotation, metadata, score, added_gen: added }) {
  return facts([
    ["Family", annotation.family],
    ["Source", annotation.source],
    ["Captured", annotation.captured_at && when(annotation.captured_at)],
    ["Checkpoint's score", score?.toFixed(3)],
    ["File", `${file.format}, ${file.width} × ${file.height} pixels, ${size(file.bytes)}`],
    ["Found at", uris.join("\n")],
    ["sha256", digest(sha256)],
    ["Indexed in", `generation ${added}`],
    ...Object.entries(metadata).map(([name, value]) => [name, String(value)]),
  ]);
}
