// Events as they come, newest first.
import { html } from "../libraries/preact.js";
import { toLine, toTime } from "../core/format.js";
import { useStore } from "../core/store.js";
import { entries, titleOf, wordsOf } from "../things/description.js";

export function EventLog({ live }) {
  const events = useStore(live.events);
  return html`<div class="title-row"><p class="words">${events.length ? "Newest first." : "Nothing has been heard since this page was opened."}</p>
      ${events.length > 0 && html`<button type="button" class="quiet small" onClick=${() => live.clearEvents()}>Clear</button>`}</div>
    ${
      events.length > 0 &&
      html`<ol class="events card" aria-label="Events">${events.toReversed().map(
        ({
          number,
          name,
          at,
          data,
        }) => html`<li key=${number}><span class="hint">${toTime(at)}</span><strong>${name}</strong>
        ${data !== undefined && data !== null && html`<code>${toLine(data)}</code>`}</li>`,
      )}</ol>`
    }
    <h2 class="minor">What can be heard</h2>
    <ul class="known">${entries(live.td, "events").map(
      ([name, event]) =>
        html`<li><strong>${titleOf(event, name)}</strong> <span class="words">${wordsOf(event)}</span></li>`,
    )}</ul>`;
}
