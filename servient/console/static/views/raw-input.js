// The whole input as JSON, sent as it stands: numbers keep all of their digits.
import { html } from "../libraries/preact.js";

export function RawInput({ text, onChange }) {
  const take = ({ target }) => {
    onChange(target.value);
    target.setCustomValidity(faultOf(target.value));
  };
  return html`<div class="field"><label>Input as JSON
    <textarea class="code" rows="6" spellcheck="false" required value=${text} onInput=${take}></textarea></label></div>`;
}

function faultOf(text) {
  try {
    JSON.parse(text);
    return "";
  } catch (error) {
    return `This is not JSON: ${error.message}`;
  }
}
