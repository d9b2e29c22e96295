// Choosing the image that is asked about: a file that is picked, dropped or pasted.

import { at, digest, h } from "./dom.js";
import { thumbnail } from "./picture.js";
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
  figure.hidden = image === null;
  at("drop").classList.toggle("small", image !== null);
  at("choose").textContent = image ? "Another image" : "Choose an image";
  at("choose").classList.toggle("primary", image === null);
  at("go").hidden = image === null;
  if (image === null) return;
  figure.replaceChildren(
    image.file ? preview(image) : thumbnail(image.sha256, "The indexed image that is asked about"),
    h("figcaption", {}, image.file
      ? [h("span", { class: "file" }, image.file.name), ` ${size(image.file.size)}`]
      : ["Indexed image ", digest(image.sha256)]),
  );
}

function preview(image) {
  const frame = h("span", { class: "picture" });
  const unseen = () => frame.replaceChildren(
    h("span", { class: "quiet" }, "This browser cannot show the file. The search works all the same."),
  );
  frame.append(h("img", { src: image.url, alt: "The image that is asked about", onerror: unseen }));
  return frame;
}
