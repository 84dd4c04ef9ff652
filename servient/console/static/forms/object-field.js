// The members of an object, each with its own control.
import { html } from "../libraries/preact.js";
import { Field } from "./field.js";
import { requiredOf } from "./schema.js";

export function ObjectField({ schema, value, onChange, isRequired, depth }) {
  const required = requiredOf(schema);
  const known = value && typeof value === "object" ? value : {};
  // An object that may be left out is there as soon as one of its members is.
  const isThere = isRequired || value !== undefined;
  const change = (name, member) => {
    const { [name]: _, ...others } = known;
    const changed = member === undefined ? others : { ...known, [name]: member };
    onChange(!isRequired && Object.keys(changed).length === 0 ? undefined : changed);
  };
  return html`<div class="members">${Object.entries(schema.properties).map(
    ([
      name,
      member,
    ]) => html`<${Field} key=${name} name=${name} schema=${member} value=${Object.hasOwn(known, name) ? known[name] : undefined}
      isRequired=${isThere && required.has(name)} depth=${depth + 1}
      onChange=${(next) => change(name, next)} />`,
  )}</div>`;
}
