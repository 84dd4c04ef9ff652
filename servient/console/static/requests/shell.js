// Words of a shell command.
import { toJson } from "../core/json.js";

/** One word, whatever is in it: names come from Thing Descriptions. */
export const quote = (text) =>
  /^[A-Za-z0-9_./:=@%+,-]+$/.test(text) ? text : `'${String(text).replaceAll("'", `'\\''`)}'`;

/** A JSON input on one line; files are named instead. */
export const toInline = (value) =>
  toJson(value, undefined, (member) => (member instanceof Blob ? "<base64>" : member));
