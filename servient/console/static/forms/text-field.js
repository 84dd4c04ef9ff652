// Text: Enter sends the form, Shift and Enter begins a new line.
import { html } from "../libraries/preact.js";

const TYPES = { email: "email", uri: "url", date: "date", "date-time": "text", time: "text" };

export function TextField({ id, schema, value, onChange, isRequired, wordsId }) {
  // An empty text is a text; only what may be left out is left out when it is empty.
  const take = (event) => onChange(event.target.value === "" && !isRequired ? undefined : event.target.value);
  const limits = { minlength: schema.minLength, maxlength: schema.maxLength };
  const common = { id, value: value ?? "", onInput: take, "aria-describedby": wordsId, ...limits };
  if (schema.format in TYPES || schema.pattern) {
    return html`<input ...${common} type=${TYPES[schema.format] ?? "text"} required=${isRequired} />`;
  }
  return html`<textarea ...${common} rows="1" spellcheck="false" onKeyDown=${sendOnEnter}></textarea>`;
}

function sendOnEnter(event) {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  event.target.form?.requestSubmit();
}
