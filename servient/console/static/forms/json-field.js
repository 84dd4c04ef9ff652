// A value as JSON, where no other control fits.
import { html, useState } from "../libraries/preact.js";
import { parseJson, toJson } from "../core/json.js";

export function JsonField({ id, value, onChange, isRequired, wordsId }) {
  const [text, setText] = useState(() => (value === undefined ? "" : toJson(value, 2)));
  const take = (event) => {
    const { target } = event;
    setText(target.value);
    try {
      onChange(target.value.trim() === "" ? undefined : parseJson(target.value));
      target.setCustomValidity("");
    } catch (error) {
      target.setCustomValidity(`This is not JSON: ${error.message}`);
    }
  };
  return html`<textarea id=${id} class="code" rows="3" spellcheck="false" placeholder="JSON" value=${text}
    required=${isRequired} aria-describedby=${wordsId} onInput=${take}></textarea>`;
}
