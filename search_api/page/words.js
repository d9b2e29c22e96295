// Figures in words. Pure: values in, text out.

const number = new Intl.NumberFormat("en");

/** "1,831" */
export const count = (value) => number.format(value);

/** "1 image", "12 images" */
export const counted = (value, one, many = `${one}s`) => `${count(value)} ${value === 1 ? one : many}`;

/** The first letter in upper case, a full stop at the end, and no line break within "p = 0.05". */
export const sentence = (text) =>
  `${capital(text)}${/[.!?]$/.test(text) ? "" : "."}`.replaceAll("p = ", "p\u00a0=\u00a0");

/** The first letter in upper case. */
export const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/** How often unrelated pairs are this alike; `rate` as the service gives it. */
export const alike = (rate) => capital(`${rate.text} ${rate.rate > 0 ? "are" : "is"} this alike`);

/** "1 in 40" with two significant digits; `share` in (0, 1]. */
export const oneIn = (share) => `1 in ${number.format(Number((1 / share).toPrecision(2)))}`;

/** "340 : 1" or "1 : 12", with two significant digits. */
export function odds(log10) {
  const times = number.format(Number((10 ** Math.abs(log10)).toPrecision(2)));
  return (log10 >= 0 ? `${times} : 1` : `1 : ${times}`).replaceAll(" ", "\u00a0");
}

/** A conformal p-value as what it says of the family's known members. */
export function typicality(pValue) {
  const percent = Math.round(100 * pValue);
  return `${percent || "fewer than 1"}% of its known members are no more typical of it`;
}

/** The last two parts of a path or URL: enough to recognise a file. */
export const shortName = (uri) => uri.split(/[\\/]/).slice(-2).join("/");

/** "48 kB", "3.2 MB" */
export function size(bytes) {
  return bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1e3))} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

/** A stored time as the reader's own clock shows it. */
export const when = (iso) => new Date(iso).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });

/** "93%" */
export const percent = (share) => `${Math.round(100 * share)}%`;
