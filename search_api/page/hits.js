// The known images that a search has found, best first.

import { askJson } from "./api.js";
import { h } from "./dom.js";
import { thumbnail } from "./picture.js";
import { outline } from "./region.js";
import { alike, odds, oneIn, shortName } from "./words.js";

/** The hits as cards; `open(rank)` is called for the one that is chosen. */
export function hits(answer, narrowed, open) {
  const found = answer.hits.length;
  return h(
    "section",
    { class: "hits", "aria-labelledby": "hits" },
    h("h2", { id: "hits" }, heading(answer)),
    found
      ? h("ol", { class: "cards" }, answer.hits.map((hit, rank) => h("li", {}, card(hit, rank, answer, open))))
      : h("p", {}, narrowed
        ? "No image of the gallery passes the filter. Widen it and search again."
        : "The gallery holds no other image. Index some with the indexer build command."),
  );
}

function heading(answer) {
  const found = answer.hits.length;
  if (!found) return "No known image to show";
  return answer.region ? `Known images that show the region: ${found}` : `Nearest known images: ${found}`;
}

function card(hit, rank, answer, open) {
  const name = shortName(hit.uri);
  return h(
    "article",
    { class: "card" },
    boxed(hit, ""),
    h(
      "div",
      {},
      h(
        "h3",
        {},
        h("span", { class: "rank" }, rank + 1),
        " ",
        h("button", { type: "button", class: "link stretched", onclick: () => open(rank) }, familyOf(hit) ?? name),
        " ",
        badge(hit.label),
      ),
      evidence(hit, answer.query_sha256),
      h("p", { class: "quiet" }, hit.source && `${hit.source} · `, h("span", { title: hit.uri }, name)),
    ),
  );
}

/** The family of a fake; a real image has no maker, whatever was once said of it. */
export const familyOf = (hit) => (hit.label === "real" ? null : hit.family);

/** "fake", "real" or "unlabelled", told apart by more than colour. */
export const badge = (label) => h("span", { class: `badge ${label ?? "unlabelled"}` }, label ?? "unlabelled");

/** The picture of an indexed image, with a frame around a region of it, if any. */
export function boxed({ sha256, region }, alt) {
  const canvas = h("span", { class: "canvas" }, thumbnail(sha256, alt));
  const frame = ({ facts }) => canvas.append(outline(region, facts));
  if (region) askJson(`v1/images/${sha256}`).then(frame, () => {}); // the picture says what failed
  return h("span", { class: "picture" }, canvas);
}

/** How remarkable the likeness is, in words; `asked` is the sha256 of the query. */
export function evidence(hit, asked) {
  if (hit.region) return evidenceOfRegion(hit);
  const { false_match_rate: rate, likelihood_ratio: ratio } = hit; // of families: reals have none
  return h(
    "p",
    { class: "evidence" },
    hit.sha256 === asked ? h("strong", {}, "The very file that was asked about. ") : null,
    rate ? h("strong", {}, alike(rate), ". ") : null,
    ratio && hit.label !== "real" ? `Odds ${odds(ratio.log10)}, ${ratio.text}. ` : null,
    h("span", { class: "quiet" }, `Similarity ${hit.similarity.toFixed(3)}.`),
  );
}

function evidenceOfRegion(hit) {
  const figures = `Agreement ${hit.agreement.toFixed(2)}, similarity ${hit.similarity.toFixed(3)}.`;
  return h(
    "p",
    { class: "evidence" },
    h("strong", {}, `${oneIn(hit.by_chance)} images of this gallery agree as well. `),
    h("span", { class: "quiet" }, figures),
  );
}
