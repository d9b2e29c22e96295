// Building and finding elements. Text stays text: nothing here parses markup.

/**
 * A new element. Attributes that are false, null or undefined are left out, true ones are bare,
 * and those named on<event> are listeners; children are elements, text or nothing.
 */
export function h(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value !== false && value != null) element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child != null && child !== false));
  return element;
}

/** The element with this id. */
export const at = (id) => document.getElementById(id);

/** Rows of a description list from [term, value] pairs; a pair without a value is left out. */
export function facts(pairs) {
  const known = pairs.filter(([, value]) => value != null && value !== "");
  return h("dl", { class: "facts" }, known.map(([term, value]) => [h("dt", {}, term), h("dd", {}, value)]));
}

/** A sha256 cut to what a person compares, whole for whoever copies it. */
export const digest = (sha256) => h("code", { title: sha256 }, `${sha256.slice(0, 12)}…`);
