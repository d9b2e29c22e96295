// The families view: a list to choose from, the map of the gallery, and the family that is open.

import { askJson } from "./api.js";
import { at, h } from "./dom.js";
import { family } from "./family.js";
import { map } from "./map.js";
import { trouble } from "./status.js";
import { counted } from "./words.js";

let known = null; // the families as the service last listed them
let plan = null; // the map, null before families were ever built

/** Wire the view's controls, once. */
export function startFamilies() {
  at("family-filter").addEventListener("input", () => list(opened()));
}

/** Read the families anew when they are next shown, since something was said of an image. */
export function forgetFamilies() {
  known = null;
}

/** Show the view with the family `id` open, or none. */
export async function showFamilies(id) {
  const answer = at("family");
  answer.setAttribute("aria-busy", "true");
  try {
    if (known === null) await read();
    list(id);
    plan?.light(known.find((found) => found.id === id)?.name ?? null);
    answer.replaceChildren(id ? await family(id, known, anew) : hint());
  } catch (failure) {
    answer.replaceChildren(trouble(failure, () => showFamilies(id)));
  }
  answer.setAttribute("aria-busy", "false");
}

const opened = () => location.hash.match(/^#\/families\/(.+)$/)?.[1];

/** Read everything again, after a decision; a family that is no more is closed. */
async function anew() {
  await read();
  if (opened() && !known.some(({ id }) => id === opened())) location.hash = "#/families";
  else await showFamilies(opened());
}

async function read() {
  known = await all();
  const ids = Object.fromEntries(known.map(({ id, name }) => [name, id]));
  const points = await places();
  plan = points && map(points, {
    describe: (point) => `${point.family ?? "no family"}, ${point.label ?? "unlabelled"}, ${point.sha256.slice(0, 8)}`,
    choose: (point) => {
      const id = ids[point.family];
      location.hash = id ? `#/families/${id}` : `#/image/${point.sha256}`;
    },
  });
  at("map").replaceChildren(plan ? plan.element : h("p", { class: "quiet" }, "There is no map before the first build of families."));
  at("family-names").replaceChildren(...known.map(({ name }) => h("option", { value: name })));
}

/** Every page of the list, largest family first. */
async function all() {
  const found = [];
  let cursor = "";
  do {
    const page = await askJson(`v1/families?limit=500${cursor && `&cursor=${cursor}`}`);
    found.push(...page.families);
    cursor = page.next ?? "";
  } while (cursor);
  return found;
}

/** The points of the map, null before families were ever built. */
async function places() {
  try {
    return (await askJson("v1/map")).images;
  } catch (failure) {
    if (failure.status === 404) return null;
    throw failure;
  }
}

function list(openId) {
  const wanted = at("family-filter").value.trim().toLowerCase();
  const shown = known.filter(({ name }) => name.toLowerCase().includes(wanted));
  const items = shown.map(({ id, name, size }) =>
    h("li", {}, h("a", { href: `#/families/${id}`, "aria-current": id === openId && "true" },
      h("span", {}, name), h("span", { class: "quiet" }, counted(size, "image")))),
  );
  at("family-list").replaceChildren(...items);
  at("family-count").textContent = counted(shown.length, "family", "families");
}

const hint = () => h("p", { class: "quiet" }, known.length
  ? "Choose a family from the list or on the map."
  : "No families yet. The command indexer families build finds them.");
