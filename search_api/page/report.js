// The evidence report of a search: a signed ZIP file to keep.

import { ask } from "./api.js";
import { h } from "./dom.js";
import { say, working } from "./status.js";

/** Asks for a note and offers the report of this search: `file`, with the options `asked`. */
export function report(file, asked) {
  const note = h("textarea", { id: "note", maxlength: "10000" });
  const send = (event) => {
    event.preventDefault();
    download(file, { ...asked, note: note.value });
  };
  return h(
    "section",
    { class: "panel report", "aria-labelledby": "report" },
    h("h2", { id: "report" }, "Evidence report"),
    h("p", {}, "A signed ZIP file with this verdict and these hits, the image, maps of it, every figure's calibration ",
      "and a page to read and print. The command indexer report verify checks that no byte was changed."),
    h("form", { class: "stack", onsubmit: send },
      h("label", { for: "note" }, "Your note, which is signed too"),
      note,
      h("p", {}, h("button", {}, "Download the report"))),
  );
}

async function download(file, fields) {
  working("Writing the report");
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) body.append(name, value);
  body.append("image", file);
  try {
    const response = await ask("v1/reports", { method: "POST", body });
    const name = response.headers.get("Content-Disposition").match(/filename="(.+)"/)[1];
    const url = URL.createObjectURL(await response.blob());
    h("a", { href: url, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(url), 60_000); // the browser may still be writing
    say(`${name} is downloaded.`);
  } catch (failure) {
    say(`${failure.title}: ${failure.detail}`);
  }
}
