// The items of a list, which can be added and removed.
import { html } from "../libraries/preact.js";
import { Field } from "./field.js";
import { firstValue } from "./schema.js";

const ITEMS_LIMIT = 200;

export function ArrayField({ name, schema, value, onChange, isRequired, depth }) {
  const items = Array.isArray(value) ? value : [];
  const isTuple = Array.isArray(schema.items);
  const replace = (index, item) => onChange(items.map((old, at) => (at === index ? item : old)));
  const remove = (index) => {
    const left = items.filter((_, at) => at !== index);
    onChange(left.length === 0 && !isRequired ? undefined : left);
  };
  const add = () => onChange([...items, firstValue(schema.items)]);
  const limit = Math.min(schema.maxItems ?? ITEMS_LIMIT, ITEMS_LIMIT);
  return html`<div class="items">
    ${items.map(
      (item, index) => html`<div class="item" key=${index}>
        <${Field} name=${`${name} ${index + 1}`} schema=${isTuple ? schema.items[index] : schema.items} value=${item}
          isRequired=${true} depth=${depth + 1} onChange=${(next) => replace(index, next)} />
        ${
          !isTuple &&
          html`<button type="button" class="quiet small" onClick=${() => remove(index)}
          aria-label=${`Remove ${name} ${index + 1}`}>Remove</button>`
        }
      </div>`,
    )}
    ${
      !isTuple &&
      html`<button type="button" class="small" disabled=${items.length >= limit} onClick=${add}
      aria-label=${`Add to ${name}`}>Add</button>`
    }
  </div>`;
}
