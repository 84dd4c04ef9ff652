// One control with its label, whatever its schema is.
import { html, useId } from "../libraries/preact.js";
import { titleOf, wordsOf } from "../things/description.js";
import { ArrayField } from "./array-field.js";
import { ChoiceField } from "./choice-field.js";
import { FileField } from "./file-field.js";
import { JsonField } from "./json-field.js";
import { NumberField } from "./number-field.js";
import { ObjectField } from "./object-field.js";
import { kindOf, toHint } from "./schema.js";
import { SwitchField } from "./switch-field.js";
import { TextField } from "./text-field.js";
import { VariantField } from "./variant-field.js";

const CONTROLS = {
  choice: ChoiceField,
  switch: SwitchField,
  number: NumberField,
  text: TextField,
  file: FileField,
  object: ObjectField,
  array: ArrayField,
  variant: VariantField,
  json: JsonField,
};
const GROUPS = new Set(["object", "array", "variant"]);
const DEPTH_LIMIT = 8;

export function Field({ name, schema, value, onChange, isRequired, depth = 0, isAlone = false }) {
  const id = useId();
  const kind = depth > DEPTH_LIMIT ? "json" : kindOf(schema);
  const Control = CONTROLS[kind];
  const title = titleOf(schema, name);
  const words = wordsOf(schema);
  const wordsId = words ? `${id}-words` : undefined;
  const control = html`<${Control} ...${{ id, name, schema, value, onChange, isRequired, depth, wordsId }} />`;
  if (isAlone && kind === "object") return control;
  const label = html`${title} <span class="hint">${toHint(schema)}${isRequired ? "" : " · optional"}</span>`;
  const note = words && html`<p class="words" id=${wordsId}>${words}</p>`;
  if (GROUPS.has(kind)) {
    return html`<fieldset class="field group"><legend>${label}</legend>${note}${control}</fieldset>`;
  }
  return html`<div class="field"><label for=${id}>${label}</label>${note}${control}</div>`;
}
