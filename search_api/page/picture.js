// Pictures from the service. They are fetched, not linked, since an API key travels in a header.

import { ask } from "./api.js";
import { h } from "./dom.js";

/** An image element that shows `path` once it is near the screen, or says that there is none. */
export function picture(path, alt) {
  const frame = h("span", { class: "picture" }, h("span", { class: "quiet" }, "…"));
  const watcher = new IntersectionObserver(([entry]) => {
    if (!entry.isIntersecting) return;
    watcher.disconnect();
    fill(frame, path, alt);
  }, { rootMargin: "400px" });
  watcher.observe(frame);
  return frame;
}

/** The thumbnail of an indexed image. */
export const thumbnail = (sha256, alt) => picture(`v1/images/${sha256}/thumbnail`, alt);

async function fill(frame, path, alt) {
  try {
    const url = URL.createObjectURL(await (await ask(path)).blob());
    const image = h("img", { alt, src: url, onload: () => URL.revokeObjectURL(url) });
    frame.replaceChildren(image);
  } catch (failure) {
    const text = failure.status === 404 ? "No picture" : "Picture failed";
    frame.replaceChildren(h("span", { class: "quiet", title: failure.detail }, text));
  }
}
