// One of several schemas, and its control.
import { html, useState } from "../libraries/preact.js";
import { Field } from "./field.js";
import { firstValue, kindOf, toHint, variantsOf } from "./schema.js";

export function VariantField({ id, name, schema, value, onChange, isRequired, depth }) {
  const variants = variantsOf(schema);
  const [at, setAt] = useState(() => (isRequired ? 0 : -1));
  const choose = (event) => {
    const next = Number(event.target.value);
    setAt(next);
    onChange(next < 0 ? undefined : firstValue(variants[next]));
  };
  return html`<div class="members">
    <select id=${id} value=${String(at)} onChange=${choose} aria-label=${`Kind of ${name}`}>
      ${!isRequired && html`<option value="-1">None</option>`}
      ${variants.map((variant, index) => html`<option value=${String(index)}>${toLabel(variant, index)}</option>`)}
    </select>
    ${
      at >= 0 &&
      html`<${Field} key=${at} name=${toLabel(variants[at], at)} schema=${variants[at]} value=${value}
      isRequired=${true} isAlone=${true} depth=${depth + 1} onChange=${onChange} />`
    }
  </div>`;
}

function toLabel(variant, index) {
  if (typeof variant?.title === "string") return variant.title;
  if (kindOf(variant) === "object") return Object.keys(variant.properties).join(", ");
  if (kindOf(variant) === "choice" && variant.enum?.length === 1) return String(variant.enum[0]);
  return toHint(variant) || `Variant ${index + 1}`;
}
