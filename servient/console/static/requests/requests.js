// The same request for other consumers, to copy.
import { html, useState } from "../libraries/preact.js";
import { Copy } from "../views/copy.js";
import { toCoap } from "./coap.js";
import { toCurl } from "./curl.js";
import { toMqtt } from "./mqtt.js";
import { toNodeWot } from "./node-wot.js";
import { toWotpy } from "./wotpy.js";

const CONSUMERS = { curl: toCurl, CoAP: toCoap, MQTT: toMqtt, "node-wot": toNodeWot, WoTPy: toWotpy };

/** `request` is {td, name, action, value}. */
export function Requests({ request }) {
  const offered = Object.entries(CONSUMERS)
    .map(([consumer, write]) => [consumer, write(request)])
    .filter(([, text]) => text !== null);
  const [chosen, choose] = useState(offered[0]?.[0]);
  const text = offered.find(([consumer]) => consumer === chosen)?.[1] ?? "";
  return html`<div class="requests">
    <div class="row tabs" role="group" aria-label="Consumer">
      ${offered.map(
        ([
          consumer,
        ]) => html`<button type="button" class="tab small" aria-pressed=${String(consumer === chosen)}
          onClick=${() => choose(consumer)}>${consumer}</button>`,
      )}
      <${Copy} text=${text} />
    </div>
    <pre class="code" tabindex="0" aria-label=${`Request for ${chosen}`}>${text}</pre>
  </div>`;
}
