// The box that is searched for: drawn on the picture or given in numbers, in the image's pixels.

import { at, h } from "./dom.js";

const FIELDS = ["x", "y", "width", "height"];
const SMALLEST = 4; // pixels on the screen; less is a click, not a box

let bounds = null; // {width, height} of the image, null while unknown

/** Wire the fields and the drawing, once; `changed()` is called whenever the box is another. */
export function startRegion(changed) {
  for (const name of FIELDS) {
    field(name).addEventListener("input", () => {
      draw();
      changed();
    });
  }
  at("no-box").addEventListener("click", () => set(null, changed));
  at("asked").addEventListener("pointerdown", (event) => {
    const canvas = event.target.closest(".canvas");
    if (canvas && at("region").open && bounds && event.isPrimary) drag(canvas, event, changed);
  });
}

/** Forget the box; `size` is {width, height} of the image that is asked about from now on. */
export function resetRegion(size) {
  bounds = size;
  for (const [name, most] of [["x", "width"], ["y", "height"], ["width", "width"], ["height", "height"]]) {
    field(name).max = size ? size[most] : "";
  }
  set(null, () => {});
}

/** The box as {x, y, width, height} in pixels, null without one. */
export function region() {
  const box = Object.fromEntries(FIELDS.map((name) => [name, field(name).valueAsNumber]));
  return Object.values(box).some(Number.isNaN) ? null : box;
}

const field = (name) => at(`box-${name}`);

function set(box, changed) {
  for (const name of FIELDS) field(name).value = box ? Math.round(box[name]) : "";
  draw();
  changed();
}

function drag(canvas, start, changed) {
  start.preventDefault();
  canvas.setPointerCapture(start.pointerId);
  const place = canvas.getBoundingClientRect();
  const scale = bounds.width / place.width;
  const inside = (value, most) => Math.min(Math.max(value, 0), most);
  const point = (event) => [
    inside(event.clientX - place.left, place.width),
    inside(event.clientY - place.top, place.height),
  ];
  const from = point(start);
  canvas.onpointermove = (event) => {
    const to = point(event);
    const [width, height] = [Math.abs(to[0] - from[0]), Math.abs(to[1] - from[1])];
    if (Math.min(width, height) < SMALLEST) return;
    const [x, y] = [Math.min(from[0], to[0]), Math.min(from[1], to[1])];
    set({ x: x * scale, y: y * scale, width: width * scale, height: height * scale }, changed);
  };
  canvas.onpointerup = canvas.onpointercancel = () => {
    canvas.onpointermove = null;
  };
}

function draw() {
  const canvas = at("asked").querySelector(".canvas");
  canvas?.querySelector(".box")?.remove();
  const box = region();
  if (canvas && box && bounds) canvas.append(outline(box, bounds));
}

/** An element that frames a region over a picture of an image of this size. */
export function outline({ x, y, width, height }, size) {
  const frame = h("span", { class: "box" });
  frame.style.left = `${(100 * x) / size.width}%`;
  frame.style.top = `${(100 * y) / size.height}%`;
  frame.style.width = `${(100 * width) / size.width}%`;
  frame.style.height = `${(100 * height) / size.height}%`;
  return frame;
}
