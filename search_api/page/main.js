// The page starts here: which view is shown is told by the address after #.

import { askJson } from "./api.js";
import { at } from "./dom.js";
import { showKey } from "./key.js";
import { showSearch, startSearch } from "./search.js";
import { count } from "./words.js";

const ROUTES = [[/^#\/image\/([0-9a-f]{64})$/, showSearch]];

function route() {
  const hash = location.hash || "#/";
  if (!hash.startsWith("#/")) return; // the skip link
  for (const [pattern, show] of ROUTES) {
    const found = hash.match(pattern);
    if (found) return show(found[1]);
  }
  showSearch(null);
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
addEventListener("hashchange", route);
route();
tellGallery();
