// What an analyst decides: sent, said, and taken back on request.

import { askJson } from "./api.js";
import { say, working } from "./status.js";
import { counted } from "./words.js";

const images = (ids) => counted(ids.length, "image");

/** The images (sha256) are "real" or "fake", of the family so called, or null. */
export const label = (ids, said, family, then) =>
  decide(then, `${images(ids)} labelled ${said}${family ? `, of the family ${family}` : ""}.`,
    "v1/labels", { images: ids, label: said, family });

/** The images stay in the family, whatever clustering says. */
export const pin = (ids, { id, name }, then) =>
  decide(then, `${images(ids)} kept in ${name}.`, `v1/families/${id}/pin`, { images: ids });

/** The images do not belong to the family. */
export const reject = (ids, { id, name }, then) =>
  decide(then, `${images(ids)} kept out of ${name}.`, `v1/families/${id}/reject`, { images: ids });

/** The images of the family become a family of their own. */
export const split = (ids, { id, name }, then) =>
  decide(then, `${images(ids)} split off ${name}.`, `v1/families/${id}/split`, { images: ids });

/** The family's members are members of the family `into` from now on. */
export const merge = ({ id, name }, into, then) =>
  decide(then, `${name} is merged into ${into.name}.`, `v1/families/${into.id}/merge`, { families: [id] });

/** The family is called so from now on. */
export const rename = ({ id, name }, called, then) =>
  decide(then, `${name} is now called ${called}.`, `v1/families/${id}`, { name: called }, "PATCH");

/** Send a decision, have `then()` show what follows, say what was done and offer to undo it. */
async function decide(then, done, path, body, method = "POST") {
  working("Writing the decision");
  try {
    const { generation } = await askJson(path, { method, body }); // which is the decision's number
    await then();
    say(done, [["Undo", () => decide(then, "Undone.", `v1/decisions/${generation}/undo`)]]);
  } catch (failure) {
    say(`${failure.title}: ${failure.detail}`);
  }
}
