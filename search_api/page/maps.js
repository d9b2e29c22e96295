// Maps, drawn on request since the model has to look again and again: what matched in a hit, and
// what speaks for fake. Each is one picture with the service's own words beside it.

import { askJson } from "./api.js";
import { h } from "./dom.js";
import { trouble } from "./status.js";

/** What matched in the image that is asked about and in `hit`, as `generation` has it. */
export function whatMatched(image, hit, generation) {
  const query = `hit=${hit.sha256}&generation=${generation}`;
  return onRequest("h3", "What matched",
    "Each patch in the colour of its best match in the other image. It does not show what is fake.",
    () => (image.file
      ? upload(image.file, { hit: hit.sha256, generation })
      : askJson(`v1/images/${image.sha256}/maps?${query}`)));
}

/** What speaks for fake in an uploaded file; of an indexed image, why that cannot be shown. */
export function whatSpeaksForFake({ file }) {
  const title = "What speaks for fake";
  if (!file) {
    return section("h2", title,
      "To show this the model has to look at the image again, and the index does not keep its file: "
      + "choose the file above.");
  }
  return onRequest("h2", title,
    "Where the detector's evidence falls when a part is greyed out, and what the model attends to. "
    + "This is not a tamper localisation.",
    () => upload(file, {}));
}

function upload(file, fields) {
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) body.append(name, value);
  body.append("image", file);
  return askJson("v1/maps", { method: "POST", body });
}

function onRequest(level, title, about, request) {
  const place = h("div", { class: "stack" });
  const show = h("button", { type: "button" }, `Show ${title.charAt(0).toLowerCase()}${title.slice(1)}`);
  const draw = async () => {
    show.disabled = true;
    place.replaceChildren(h("p", { class: "quiet", role: "status" }, "The model looks at the image again and again…"));
    try {
      place.replaceChildren(...drawn(await request(), title));
      show.remove();
      place.querySelector(".sheet").focus();
    } catch (failure) {
      place.replaceChildren(trouble(failure, draw));
    }
    show.disabled = false;
  };
  show.addEventListener("click", draw);
  return section(level, title, about, h("p", {}, show), place);
}

function section(level, title, about, ...content) {
  const id = title.toLowerCase().replaceAll(" ", "-");
  return h("section", { class: "maps", "aria-labelledby": id },
    h(level, { id }, title), h("p", { class: "quiet" }, about), ...content);
}

function drawn({ picture, alt, says, query_sha256: sha256 }, title) {
  const bytes = Uint8Array.from(atob(picture), (letter) => letter.charCodeAt(0));
  const url = URL.createObjectURL(new Blob([bytes], { type: "image/png" })); // kept: it can be saved
  const name = `${title.toLowerCase().replaceAll(" ", "-")}-${sha256.slice(0, 12)}.png`;
  return [
    h("div", { class: "sheet", role: "region", "aria-label": `${title}: the picture`, tabindex: "0" },
      h("img", { src: url, alt })),
    h("ul", {}, says.map((sentence) => h("li", {}, sentence))),
    h("p", {}, h("a", { href: url, download: name }, "Save the picture")),
  ];
}
