// Choosing the image that is asked about: a file that is picked, dropped or pasted.

import { askJson } from "./api.js";
import { at, digest, h } from "./dom.js";
import { thumbnail } from "./picture.js";
import { resetRegion } from "./region.js";
import { size } from "./words.js";

/** Call `choose(file)` with every file that is picked, dropped anywhere or pasted. */
export function onFile(choose) {
  const input = at("file");
  input.addEventListener("change", () => {
    if (input.files.length) choose(input.files[0]);
    input.value = "";
  });
  const first = (data) => [...(data?.files ?? [])][0];
  document.addEventListener("paste", (event) => {
    const file = first(event.clipboardData);
    if (file) choose(file);
  });
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    at("drop").classList.add("over");
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) at("drop").classList.remove("over");
  });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    at("drop").classList.remove("over");
    const file = first(event.dataTransfer);
    if (file) choose(file);
  });
}

/** The picture of `image`, {file, url} or {sha256}, and what it is called; null shows none. */
export function showAsked(image) {
  const figure = at("asked");
  for (const id of ["asked", "go", "region"]) at(id).hidden = image === null;
  at("drop").classList.toggle("small", image !== null);
  at("choose").textContent = image ? "Another image" : "Choose an image";
  at("choose").classList.toggle("primary", image === null);
  resetRegion(null);
  if (image === null) return;
  const named = image.file
    ? [h("span", { class: "file" }, image.file.name), ` ${size(image.file.size)}`]
    : ["Indexed image ", digest(image.sha256)];
  figure.replaceChildren(
    image.file ? preview(image) : indexed(image.sha256),
    h("figcaption", {}, named),
  );
}

function preview(image) {
  const frame = h("span", { class: "picture" });
  const seen = h("img", {
    src: image.url,
    alt: "The image that is asked about",
    onload: () => resetRegion({ width: seen.naturalWidth, height: seen.naturalHeight }),
    onerror: () => frame.replaceChildren(
      h("span", { class: "quiet" }, "This browser cannot show the file. The search works all the same."),
    ),
  });
  frame.append(h("span", { class: "canvas" }, seen));
  return frame;
}

function indexed(sha256) {
  askJson(`v1/images/${sha256}`).then(({ facts }) => resetRegion(facts), () => {}); // the search tells
  return h("span", { class: "picture" },
    h("span", { class: "canvas" }, thumbnail(sha256, "The indexed image that is asked about")));
}
