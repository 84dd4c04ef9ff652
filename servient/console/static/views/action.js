// An action: a form for its input, the same request for others, and what came of it.
import { html, useState } from "../libraries/preact.js";
import { parseJson, toJson } from "../core/json.js";
import { toBody } from "../forms/body.js";
import { Field } from "../forms/field.js";
import { firstValue, hasFiles } from "../forms/schema.js";
import { Requests } from "../requests/requests.js";
import { ownForm, titleOf, wordsOf } from "../things/description.js";
import { Invocation } from "../things/invocation.js";
import { InvocationCard } from "./invocation.js";
import { RawInput } from "./raw-input.js";

const KEPT = 5;

export function ActionCard({ td, name, action }) {
  const [value, setValue] = useState(() => firstValue(action.input));
  const [raw, setRaw] = useState(null);
  const [isAsked, setAsked] = useState(false);
  const [invocations, setInvocations] = useState([]);
  const isReachable = ownForm(action, "invokeaction", undefined) !== undefined;

  async function invoke(event) {
    event.preventDefault();
    const body = raw === null ? await toBody(action, value) : { contentType: "application/json", body: raw };
    setInvocations([new Invocation(td, name, body), ...invocations].slice(0, KEPT));
  }
  const change = () => setRaw(raw === null ? toJson(value ?? null, 2) : null);
  return html`<article class="card action">
    <div class="title-row"><h2>${titleOf(action, name)}</h2>
      <div class="row">
        ${action.input && html`<button type="button" class="quiet small" aria-pressed=${String(raw !== null)} onClick=${change}>JSON</button>`}
        <button type="button" class="quiet small" aria-expanded=${String(isAsked)} onClick=${() => setAsked(!isAsked)}>Request</button>
      </div></div>
    ${wordsOf(action) && html`<p class="words">${wordsOf(action)}</p>`}
    <form onSubmit=${invoke} aria-label=${`Invoke ${titleOf(action, name)}`}>
      ${
        action.input &&
        (raw === null
          ? html`<${Field} name=${titleOf(action.input, hasFiles(action.input) ? "file" : "input")} schema=${action.input} value=${value}
            onChange=${setValue} isRequired=${true} isAlone=${true} />`
          : html`<${RawInput} text=${raw} onChange=${setRaw} />`)
      }
      ${
        isReachable
          ? html`<div class="row"><button type="submit" class="primary">Invoke</button></div>`
          : html`<p class="hint">It has no form over HTTP at this servient.</p>`
      }
    </form>
    ${isAsked && html`<${Requests} request=${{ td, name, action, value: raw === null ? value : parse(raw) }} />`}
    ${invocations.map((each) => html`<${InvocationCard} key=${each.number} invocation=${each} schema=${action.output} />`)}
  </article>`;
}

function parse(text) {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}
