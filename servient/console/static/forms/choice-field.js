// One of several values.
import { html } from "../libraries/preact.js";
import { toJson } from "../core/json.js";
import { choicesOf } from "./schema.js";

export function ChoiceField({ id, schema, value, onChange, isRequired, wordsId }) {
  const choices = choicesOf(schema);
  const at = choices.findIndex((choice) => toJson(choice) === toJson(value));
  const choose = (event) =>
    onChange(event.target.value === "" ? undefined : choices[Number(event.target.value)]);
  return html`<select id=${id} value=${at < 0 ? "" : String(at)} onChange=${choose} required=${isRequired} aria-describedby=${wordsId}>
    <option value="">${isRequired ? "Choose…" : "None"}</option>
    ${choices.map((choice, index) => html`<option value=${String(index)}>${toLabel(choice)}</option>`)}
  </select>`;
}

const toLabel = (choice) => (typeof choice === "string" ? choice : toJson(choice));
