// The gallery as a map: every image a point, near to what it is like. Drawn on a canvas.

import { h } from "./dom.js";

const REACH = 14; // pixels around a pointer within which a point is meant
const MARGIN = 16;
const ZOOM = 1.6;

/**
 * A map of `points`, [{x, y, family, label, ...}]. `describe(point)` is said of the point that is
 * meant, `choose(point)` is called when it is clicked or entered.
 *
 * By keyboard: arrows go to the next point in that direction, + - 0 zoom, Enter chooses. Returns
 * {element, light}; `light(family)` makes a family's points stand out.
 */
export function map(points, { describe, choose }) {
  const canvas = h("canvas", { tabindex: "0", role: "application", "aria-label": "Map of the gallery. Arrow keys go from image to image." });
  const caption = h("p", { class: "quiet", "aria-live": "polite" }, "Near images are alike. Distances between far groups mean little.");
  const view = { points, zoom: 1, centre: middle(points), meant: null, lit: null };
  const redraw = () => draw(canvas, view);

  function mean(point) {
    view.meant = point;
    if (point) caption.textContent = describe(point);
    redraw();
  }
  function zoom(factor) {
    view.zoom = factor ? Math.min(Math.max(view.zoom * factor, 1), 200) : 1;
    view.centre = view.zoom === 1 ? middle(points) : view.meant ?? view.centre;
    redraw();
  }

  follow(canvas, view, mean, choose, redraw);
  canvas.addEventListener("keydown", (event) => {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (way) mean(next(canvas, view, way));
    else if (event.key === "Enter" && view.meant) choose(view.meant);
    else if (event.key === "+") zoom(ZOOM);
    else if (event.key === "-") zoom(1 / ZOOM);
    else if (event.key === "0") zoom();
    else return;
    event.preventDefault();
  });
  new ResizeObserver(redraw).observe(canvas);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  const button = (text, label, factor) =>
    h("button", { type: "button", "aria-label": label, onclick: () => zoom(factor) }, text);
  return {
    element: h("div", { class: "map" }, canvas,
      h("p", { class: "row" }, button("+", "Nearer", ZOOM), button("−", "Farther", 1 / ZOOM), button("Whole map", "Whole map")),
      caption),
    light(family) {
      view.lit = family;
      redraw();
    },
  };
}

/** Pointer: hovering means a point, dragging moves the map, a click chooses. */
function follow(canvas, view, mean, choose, redraw) {
  let held = null;
  const place = (event) => [event.offsetX, event.offsetY];
  canvas.addEventListener("pointerdown", (event) => {
    held = { from: place(event), centre: view.centre, moved: false };
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    const [x, y] = place(event);
    if (!held) return mean(nearest(canvas, view, [x, y]));
    const [dx, dy] = [x - held.from[0], y - held.from[1]];
    held.moved ||= Math.hypot(dx, dy) > 4;
    const { scale } = frame(canvas, view);
    if (held.moved && view.zoom > 1) {
      view.centre = { x: held.centre.x - dx / scale, y: held.centre.y - dy / scale };
      redraw();
    }
  });
  canvas.addEventListener("pointerup", (event) => {
    const clicked = held && !held.moved && nearest(canvas, view, place(event));
    held = null;
    if (clicked) choose(clicked);
  });
}

const least = (points, of) => points.reduce((low, point) => Math.min(low, of(point)), Infinity);

function middle(points) {
  const x0 = least(points, (point) => point.x);
  const x1 = -least(points, (point) => -point.x);
  const y0 = least(points, (point) => point.y);
  const y1 = -least(points, (point) => -point.y);
  return { x: (x0 + x1) / 2, y: (y0 + y1) / 2, width: x1 - x0 || 1, height: y1 - y0 || 1 };
}

/** Where map coordinates land on the canvas: `scale` in pixels per unit, `at(point)` in pixels. */
function frame(canvas, view) {
  const whole = middle(view.points);
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  const fit = Math.min((width - 2 * MARGIN) / whole.width, (height - 2 * MARGIN) / whole.height);
  const scale = fit * view.zoom;
  const at = (point) => [
    width / 2 + (point.x - view.centre.x) * scale,
    height / 2 + (point.y - view.centre.y) * scale,
  ];
  return { scale, at };
}

function nearest(canvas, view, [x, y]) {
  const { at } = frame(canvas, view);
  let [found, reach] = [null, REACH];
  for (const point of view.points) {
    const [px, py] = at(point);
    const away = Math.hypot(px - x, py - y);
    if (away < reach) [found, reach] = [point, away];
  }
  return found;
}

/** The nearest point on the side that `way` points to; straight ahead counts as nearer. */
function next(canvas, view, [dx, dy]) {
  const from = view.meant ?? view.centre;
  let [found, least] = [view.meant, Infinity];
  for (const point of view.points) {
    const [x, y] = [point.x - from.x, point.y - from.y];
    const ahead = x * dx + y * dy;
    const aside = Math.abs(x * dy - y * dx);
    if (ahead > 0 && aside <= ahead && ahead + 2 * aside < least) {
      [found, least] = [point, ahead + 2 * aside];
    }
  }
  return found ?? view.points[0];
}

function draw(canvas, view) {
  const ratio = devicePixelRatio;
  canvas.width = canvas.clientWidth * ratio;
  canvas.height = canvas.clientHeight * ratio;
  const pen = canvas.getContext("2d");
  pen.scale(ratio, ratio);
  const style = getComputedStyle(canvas);
  const colour = (name) => style.getPropertyValue(name);
  const { at } = frame(canvas, view);
  const dot = (point, radius, hollow) => {
    pen.beginPath();
    pen.arc(...at(point), radius, 0, 2 * Math.PI);
    if (hollow) pen.stroke();
    else pen.fill();
  };
  const isLit = (point) => view.lit !== null && point.family === view.lit;
  pen.globalAlpha = 0.55;
  pen.fillStyle = pen.strokeStyle = colour("--map-point");
  for (const point of view.points) if (!isLit(point)) dot(point, 3, point.label === "real");
  pen.globalAlpha = 1;
  pen.fillStyle = pen.strokeStyle = colour("--map-lit");
  for (const point of view.points) if (isLit(point)) dot(point, 4, point.label === "real");
  if (!view.meant) return;
  pen.lineWidth = 2.5;
  pen.strokeStyle = colour("--map-meant");
  dot(view.meant, 8, true);
}
