// The nearest known images, nearest first.

import { h } from "./dom.js";
import { thumbnail } from "./picture.js";
import { alike, odds, shortName } from "./words.js";

/** The hits as cards; `open(rank)` is called for the one that is chosen. */
export function hits(answer, narrowed, open) {
  const found = answer.hits.length;
  return h(
    "section",
    { class: "hits", "aria-labelledby": "hits" },
    h("h2", { id: "hits" }, found ? `Nearest known images: ${found}` : "No known image to show"),
    found
      ? h("ol", { class: "cards" }, answer.hits.map((hit, rank) => h("li", {}, card(hit, rank, answer, open))))
      : h("p", {}, narrowed
        ? "No image of the gallery passes the filter. Widen it and search again."
        : "The gallery holds no other image. Index some with the indexer build command."),
  );
}

function card(hit, rank, answer, open) {
  const name = shortName(hit.uri);
  return h(
    "article",
    { class: "card" },
    thumbnail(hit.sha256, ""),
    h(
      "div",
      {},
      h(
        "h3",
        {},
        h("span", { class: "rank" }, rank + 1),
        " ",
        h("button", { type: "button", class: "link stretched", onclick: () => open(rank) }, hit.family ?? name),
        " ",
        badge(hit.label),
      ),
      evidence(hit, answer.query_sha256),
      h("p", { class: "quiet" }, hit.source && `${hit.source} · `, h("span", { title: hit.uri }, name)),
    ),
  );
}

/** "fake", "real" or "unlabelled", told apart by more than colour. */
export const badge = (label) => h("span", { class: `badge ${label ?? "unlabelled"}` }, label ?? "unlabelled");

/** How remarkable the likeness is, in words; `asked` is the sha256 of the query. */
export function evidence(hit, asked) {
  const { false_match_rate: rate, likelihood_ratio: ratio } = hit;
  return h(
    "p",
    { class: "evidence" },
    hit.sha256 === asked ? h("strong", {}, "The very file that was asked about. ") : null,
    rate ? h("strong", {}, alike(rate), ". ") : null,
    ratio ? `Odds ${odds(ratio.log10)}, ${ratio.text}. ` : null,
    h("span", { class: "quiet" }, `Similarity ${hit.similarity.toFixed(3)}.`),
  );
}
