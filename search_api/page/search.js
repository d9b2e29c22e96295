// The search view: what is asked, the request, the answer.

import { askJson } from "./api.js";
import { onFile, showAsked } from "./asked.js";
import { compare } from "./compare.js";
import { at, h } from "./dom.js";
import { forgetFamilies } from "./families.js";
import { narrows, options } from "./filters.js";
import { hits } from "./hits.js";
import { whatSpeaksForFake } from "./maps.js";
import { region, startRegion } from "./region.js";
import { report } from "./report.js";
import { announce, hush, say, trouble, working } from "./status.js";
import { candidates, regionAsked, verdict } from "./verdict.js";
import { counted } from "./words.js";

let image = null; // what is asked about: {file, url} or {sha256}
let upload = null; // the last {file, url}, to come back to
let running = null; // the AbortController of the request in work

/** Wire the view's controls, once. */
export function startSearch() {
  onFile((file) => {
    if (upload) URL.revokeObjectURL(upload.url);
    upload = { file, url: URL.createObjectURL(file) };
    if (location.hash === "#/" || !location.hash) turnTo(upload);
    else location.hash = "#/";
  });
  at("pick-it").addEventListener("click", () => {
    if (at("sha256").reportValidity() && at("sha256").value) location.hash = `#/image/${at("sha256").value}`;
  });
  at("ask").addEventListener("submit", (event) => {
    event.preventDefault();
    if (image) search();
    else say("Choose an image first, or drop or paste one.");
  });
  startRegion(() => {
    at("search-again").textContent = region() ? "Search by this region" : "Search again";
  });
  at("stop").addEventListener("click", () => running?.abort());
}

/** Show the view for an indexed image, or without one for the last upload. */
export function showSearch(sha256) {
  const next = sha256 ? { sha256 } : upload;
  if (next === null) clear();
  else if (next !== image && !(sha256 && sha256 === image?.sha256)) turnTo(next);
}

function clear() {
  image = null;
  showAsked(null);
  at("answer").replaceChildren();
}

function turnTo(next) {
  image = next;
  showAsked(image);
  search();
}

async function search() {
  running?.abort();
  const control = (running = new AbortController());
  const asked = options(at("ask"), region());
  busy(true);
  working(image.file ? `The model looks at ${image.file.name}` : "Searching");
  try {
    const answer = await request(asked, control.signal);
    show(answer, asked);
    announce(`${at("verdict").textContent}. ${counted(answer.hits.length, "known image")} shown.`);
  } catch (failure) {
    if (control.signal.aborted) {
      if (running === control) say("Stopped.");
      return;
    }
    hush();
    at("answer").replaceChildren(trouble(failure, search));
  } finally {
    if (running === control) busy(false);
  }
}

async function searchAnew() {
  forgetFamilies();
  await search();
  at("verdict")?.focus(); // what was focused is gone with the old answer
}

function request(asked, signal) {
  const onWait = (seconds) => working(`The service has all the work it can take. Trying again in ${seconds} s`);
  let body = { ...asked, id: image.sha256 };
  if (image.file) {
    body = new FormData();
    for (const [name, value] of Object.entries(asked)) body.append(name, value);
    body.append("image", image.file);
  }
  return askJson("v1/search", { method: "POST", body, signal, onWait });
}

function busy(is) {
  at("answer").setAttribute("aria-busy", is);
  at("stop").hidden = !is;
}

function show(answer, asked) {
  const above = answer.region
    ? [regionAsked(answer)]
    : [verdict(answer), candidates(answer)].filter(Boolean);
  const below = answer.region ? [] : [explained(answer)];
  if (image.file && !answer.region) below.push(report(image.file, { ...asked, generation: answer.generation }));
  at("answer").replaceChildren(
    ...above,
    hits(answer, narrows(asked), (rank) => compare(answer, rank, image, searchAnew)),
    ...below,
  );
  const top = at("verdict").getBoundingClientRect().top;
  if (top > 0.7 * innerHeight) at("verdict").scrollIntoView();
}

/** What speaks for fake; without a head nothing does, which the verdict says. */
function explained(answer) {
  return answer.score === null ? "" : h("div", { class: "panel" }, whatSpeaksForFake(image));
}
