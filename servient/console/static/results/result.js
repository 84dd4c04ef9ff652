// A value as its schema means it: a file, a number, a text, or JSON.
import { html, useMemo } from "../libraries/preact.js";
import { toJson } from "../core/json.js";
import { fromBase64 } from "../forms/body.js";
import { isFile, mediaTypeOf } from "../forms/schema.js";
import { FileResult } from "./file-result.js";

const TEXT_LIMIT = 100_000;

export function Result({ value, schema, name }) {
  const blob = useMemo(() => toFile(value, schema), [value, schema]);
  if (value === undefined || value === null) return html`<p class="hint">It gave no value.</p>`;
  if (blob) return html`<${FileResult} blob=${blob} name=${name} />`;
  if (typeof value === "object") return html`<${Members} value=${value} schema=${schema} name=${name} />`;
  return html`<output class="scalar">${String(value)}${unitOf(schema)}</output>`;
}

const unitOf = (schema) =>
  typeof schema?.unit === "string" ? html` <span class="hint">${schema.unit}</span>` : "";

/** Files among the members of an object are shown as files, the rest as JSON. */
function Members({ value, schema, name }) {
  const files = Object.entries(schema?.properties ?? {}).filter(
    ([key, each]) => isFile(each) && Object.hasOwn(value, key) && toFile(value[key], each),
  );
  const rest = Object.fromEntries(
    Object.entries(value).filter(([key]) => !files.some(([file]) => file === key)),
  );
  const shown = Array.isArray(value) ? value : rest;
  const text = toJson(shown, 2);
  const isEmpty = !Array.isArray(value) && files.length > 0 && Object.keys(rest).length === 0;
  return html`${!isEmpty && html`<pre class="code" tabindex="0">${text.slice(0, TEXT_LIMIT)}${text.length > TEXT_LIMIT && "…"}</pre>`}
    ${files.map(([key, each]) => html`<${FileResult} key=${key} blob=${toFile(value[key], each)} name=${key || name} />`)}`;
}

function toFile(value, schema) {
  if (typeof value !== "string" || !isFile(schema)) return null;
  try {
    return new Blob([fromBase64(value)], { type: mediaTypeOf(schema) });
  } catch {
    return null; // not base64: it is shown as the text that it is
  }
}
