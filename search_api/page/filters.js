// The filter fields as the options of a search.

const quoted = (text) => `'${text.replaceAll("'", "''")}'`;

/**
 * `form`'s fields as options of POST /v1/search: k, and risk, region, where and label if they
 * apply. `box` is {x, y, width, height} in pixels, or null; a region has no verdict to risk.
 */
export function options(form, box) {
  const field = (name) => form.elements[name].value.trim();
  const parts = [
    field("family") && `family = ${quoted(field("family"))}`,
    field("source") && `source = ${quoted(field("source"))}`,
    field("from") && `captured_at >= ${quoted(field("from"))}`,
    field("until") && `captured_at < ${quoted(dayAfter(field("until")))}`,
    field("where") && `(${field("where")})`,
  ].filter(Boolean);
  const asked = { k: Number(field("k")) };
  if (box) asked.region = [box.x, box.y, box.width, box.height].join(",");
  else asked.risk = Number(field("risk"));
  if (parts.length) asked.where = parts.join(" and ");
  if (field("label")) asked.label = field("label");
  return asked;
}

/** Whether anything is filtered at all. */
export const narrows = (asked) => Boolean(asked.where || asked.label);

function dayAfter(day) {
  const date = new Date(`${day}T00:00:00Z`);
  date.setUTCDate(date.getUTCDate() + 1);
  return date.toISOString().slice(0, 10);
}
