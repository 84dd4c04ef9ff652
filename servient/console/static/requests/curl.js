// The request as a command of curl.
import { toOwnUrl } from "../core/origin.js";
import { credentials } from "../core/session.js";
import { hasFiles, isFile, mediaTypeOf } from "../forms/schema.js";
import { ownForm } from "../things/description.js";
import { quote, toInline } from "./shell.js";

export function toCurl({ action, name, value }) {
  const form = ownForm(action, "invokeaction", undefined);
  if (!form) return null;
  const words = ["curl"];
  if (credentials.value) words.push(`-H "Authorization: Bearer $TOKEN"`);
  words.push(...bodyOf(action, value));
  words.push(quote(toOwnUrl(form.href)));
  if (typeof action.output?.contentMediaType === "string") words.push(`-o ${quote(name)}.out`);
  return words.join(" ");
}

function bodyOf({ input }, value) {
  if (input === undefined || value === undefined) return ["-X POST"];
  if (isFile(input))
    return [
      `-H ${quote(`Content-Type: ${mediaTypeOf(input)}`)}`,
      `--data-binary ${quote(`@${nameOf(value)}`)}`,
    ];
  if (!hasFiles(input)) return [`--json ${quote(toInline(value))}`];
  return Object.entries(value).map(([name, member]) => {
    const schema = input.properties[name];
    if (isFile(schema)) return `-F ${quote(`${name}=@${nameOf(member, name)};type=${mediaTypeOf(schema)}`)}`;
    return `-F ${quote(`${name}=${typeof member === "string" ? member : toInline(member)}`)}`;
  });
}

export const nameOf = (file, name = "file") => (file instanceof Blob && file.name ? file.name : name);
