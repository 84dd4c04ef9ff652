// A Thing Description, to read and to keep.
import { html, useMemo } from "../libraries/preact.js";
import { toJson } from "../core/json.js";
import { tdUrl } from "../requests/node-wot.js";
import { saveJson } from "../results/save.js";
import { titleOf } from "../things/description.js";
import { toName } from "../things/deployment.js";
import { Copy } from "./copy.js";

export function DescriptionView({ td }) {
  const text = useMemo(() => toJson(td, 2), [td]);
  return html`<div class="card">
    <div class="row">
      <button type="button" class="small" onClick=${() => saveJson(td, `${toName(titleOf(td, "thing"))}.td.json`)}>Download</button>
      <${Copy} text=${text} />
      <a class="small" href=${tdUrl(td)}>${new URL(tdUrl(td)).pathname}</a>
    </div>
    <pre class="code tall" tabindex="0" aria-label="Thing Description">${text}</pre>
  </div>`;
}
