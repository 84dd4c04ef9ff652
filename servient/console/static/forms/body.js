// What a form's value is sent as: JSON, a file, or a form with files in it.
import { toJson } from "../core/json.js";
import { formsFor } from "../things/description.js";
import { hasFiles, isFile, mediaTypeOf } from "./schema.js";

const JSON_TYPE = "application/json";

/** {contentType, body}; the browser itself says the type of a form, whose boundary it knows. */
export async function toBody(action, value) {
  const schema = action.input;
  if (schema === undefined || value === undefined) return { contentType: undefined, body: undefined };
  if (value instanceof Blob && isFile(schema)) return { contentType: mediaTypeOf(schema), body: value };
  if (hasFiles(schema) && takesForm(action)) return { contentType: undefined, body: toForm(schema, value) };
  return { contentType: JSON_TYPE, body: toJson(await withoutFiles(value)) };
}

const takesForm = (action) =>
  formsFor(action, "invokeaction", ["http", "https"]).some(
    (form) => form.contentType === "multipart/form-data",
  );

function toForm(schema, value) {
  const form = new FormData();
  for (const [name, member] of Object.entries(value)) {
    if (member instanceof Blob) form.append(name, member, member.name ?? name);
    else form.append(name, schema.properties[name]?.type === "string" ? member : toJson(member));
  }
  return form;
}

/** Files deep inside go as base64. */
async function withoutFiles(value) {
  if (value instanceof Blob) return toBase64(value);
  if (Array.isArray(value))
    return Promise.all(value.map((item) => (item === undefined ? null : withoutFiles(item))));
  if (value === null || typeof value !== "object") return value;
  const members = Object.entries(value).map(async ([name, member]) => [name, await withoutFiles(member)]);
  return Object.fromEntries(await Promise.all(members));
}

export async function toBase64(blob) {
  const bytes = new Uint8Array(await blob.arrayBuffer());
  let text = "";
  for (let at = 0; at < bytes.length; at += 32768)
    text += String.fromCharCode(...bytes.subarray(at, at + 32768));
  return btoa(text);
}

export function fromBase64(text) {
  return Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (each) => each.charCodeAt(0));
}
