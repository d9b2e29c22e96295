// The verdict with its reason, then what it rests on.

import { digest, facts, h } from "./dom.js";
import { familyOf } from "./hits.js";
import { thumbnail } from "./picture.js";
import { capital, counted, sentence, shortName, typicality } from "./words.js";

const FACES = 5;

const FIGURES = {
  false_match_rate: "how often unrelated pairs are as alike",
  likelihood_ratio: "odds of one family against another",
  families: "families",
  probability_fake: "a calibrated probability",
};

/** What is concluded of the query and why. */
export function verdict(answer) {
  const { verdict: kind, reason } = answer.conclusion;
  return h(
    "section",
    { class: `panel verdict ${kind.replaceAll(" ", "-")}`, "aria-labelledby": "verdict" },
    h("h2", { id: "verdict", tabindex: "-1" }, capital(kind)),
    h("p", { class: "reason" }, sentence(reason)),
    facts([
      ["Checkpoint's score", score(answer)],
      ["Query", digest(answer.query_sha256)],
      ["Compared with", `generation ${answer.generation}`],
    ]),
    missing(answer.missing),
  );
}

/** What a search by region compared; it concludes nothing of the image. */
export function regionAsked(answer) {
  const { width, height } = answer.region;
  return h(
    "section",
    { class: "panel verdict", "aria-labelledby": "verdict" },
    h("h2", { id: "verdict", tabindex: "-1" }, "Where this region is seen"),
    h("p", { class: "reason" },
      `${counted(answer.patches, "patch", "patches")} of a region of ${Math.round(width)} × ${Math.round(height)} `,
      "pixels were looked for in every image. There is no verdict: that rests on the whole image."),
    facts([["Query", digest(answer.query_sha256)], ["Compared with", `generation ${answer.generation}`]]),
  );
}

function score(answer) {
  if (answer.score === null) return "none: the checkpoint has no head";
  const own = answer.score.toFixed(3);
  if (answer.probability_fake === null) return own;
  const fake = (100 * answer.probability_fake).toFixed(0);
  return `${own}: ${fake} in 100 images with it are fake, if fake and real are equally frequent`;
}

/** The families that the query could belong to, with its nearest known members; null without any. */
export function candidates(answer) {
  if (!answer.families.length) return null;
  const items = answer.families.map((candidate) =>
    h(
      "li",
      {},
      h("p", {}, h("strong", {}, candidate.family), ` p = ${candidate.p_value.toFixed(2)}`),
      h("p", { class: "quiet" }, sentence(typicality(candidate.p_value))),
      faces(answer.hits.filter((hit) => familyOf(hit) === candidate.family)),
    ),
  );
  return h(
    "section",
    { class: "panel", "aria-labelledby": "candidates" },
    h("h2", { id: "candidates" }, "Families that it could belong to"),
    h("ul", { class: "candidates" }, items),
  );
}

function faces(members) {
  const pictures = members.slice(0, FACES).map(({ sha256, uri }) =>
    h("li", {}, thumbnail(sha256, `A member: ${shortName(uri)}`)));
  return pictures.length ? h("ul", { class: "faces" }, pictures) : null;
}

function missing(reasons) {
  const items = Object.entries(reasons).map(([figure, reason]) =>
    h("li", {}, `No figure for ${FIGURES[figure] ?? figure}: ${sentence(reason)}`),
  );
  return items.length ? h("ul", { class: "missing quiet" }, items) : null;
}
