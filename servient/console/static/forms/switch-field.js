// True or false; where it may be left out, neither.
import { html } from "../libraries/preact.js";
import { ChoiceField } from "./choice-field.js";

export function SwitchField(props) {
  const { id, value, onChange, isRequired, wordsId } = props;
  if (!isRequired) return html`<${ChoiceField} ...${props} schema=${{ enum: [true, false] }} />`;
  return html`<input id=${id} type="checkbox" role="switch" checked=${value === true} aria-describedby=${wordsId}
    onChange=${(event) => onChange(event.target.checked)} />`;
}
