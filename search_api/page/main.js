// The page starts here: which view is shown is told by the address after #.

import { askJson } from "./api.js";
import { at } from "./dom.js";
import { showFamilies, startFamilies } from "./families.js";
import { showKey } from "./key.js";
import { showSearch, startSearch } from "./search.js";
import { count } from "./words.js";

const ROUTES = [
  [/^#\/image\/([0-9a-f]{64})$/, "search", showSearch],
  [/^#\/families(?:\/(f[0-9a-f]{10}))?$/, "families", showFamilies],
  [/^/, "search", () => showSearch(null)],
];

function route() {
  const hash = location.hash || "#/";
  if (!hash.startsWith("#/")) return; // the skip link
  const [pattern, view, show] = ROUTES.find(([pattern]) => pattern.test(hash));
  for (const name of ["search", "families"]) {
    at(name).hidden = name !== view;
    if (name === view) at(`to-${name}`).setAttribute("aria-current", "page");
    else at(`to-${name}`).removeAttribute("aria-current");
  }
  show(hash.match(pattern)[1]);
}

async function tellGallery() {
  try {
    const { generation, checkpoint } = await askJson("health/ready");
    at("gallery").textContent = `generation ${count(generation)} · checkpoint ${checkpoint.name}`;
  } catch (failure) {
    at("gallery").textContent = failure.detail;
  }
}

showKey();
startSearch();
startFamilies();
addEventListener("hashchange", route);
route();
tellGallery();
