// The properties of a Thing, each in a row of its own.
import { html, useState } from "../libraries/preact.js";
import { entries, titleOf } from "../things/description.js";
import { PropertyRow } from "./property.js";

const FILTER_FROM = 12;

export function PropertyTable({ live }) {
  const [text, setText] = useState("");
  const all = entries(live.td, "properties");
  const wanted = text.trim().toLowerCase();
  const shown = all.filter(([name, each]) => `${name} ${titleOf(each, name)}`.toLowerCase().includes(wanted));
  return html`${
    all.length > FILTER_FROM &&
    html`<search><input type="search" class="search" aria-label="Filter properties" placeholder="Filter properties"
      value=${text} onInput=${(event) => setText(event.target.value)} /></search>`
  }
    <ul class="properties card">${shown.map(
      ([name, schema]) => html`<${PropertyRow} key=${name} live=${live} name=${name} schema=${schema} />`,
    )}</ul>`;
}
