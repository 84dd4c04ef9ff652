// The servient's metrics, each with a plot of its change.
import { html } from "../libraries/preact.js";
import { toDuration, toNumber, toSize } from "../core/format.js";
import { Sparkline } from "../plots/sparkline.js";

const SAMPLES = 6;

export function MetricsTable({ families }) {
  return html`<ul class="metrics card">${families.map((family) => html`<${Metric} key=${family.name} family=${family} />`)}</ul>`;
}

/** By the unit that Prometheus has names end with. */
function toWords({ name, type }, value) {
  if (name.endsWith("_bytes")) return toSize(value);
  // Seconds since 1970 are no duration.
  if (name.endsWith("_seconds") && type !== "gauge")
    return value < 0.01 ? `${toNumber(value * 1000)} ms` : toDuration(value * 1000);
  return toNumber(value);
}

function Metric({ family }) {
  const { name, help, unit, points } = family;
  const samples = family.samples.filter(
    ({ labels, suffix }) => Object.keys(labels).length && suffix !== "_sum",
  );
  return html`<li>
    <div class="grow"><h3><code>${name}</code></h3><p class="words">${help}</p>
      ${
        samples.length > 0 &&
        html`<p class="chips">${samples
          .slice(0, SAMPLES)
          .map(
            ({ labels, value }) =>
              html`<span class="chip">${Object.values(labels).join(" · ")} <strong>${toNumber(value)}</strong></span>`,
          )}${samples.length > SAMPLES && html`<span class="hint">+${samples.length - SAMPLES}</span>`}</p>`
      }</div>
    ${points.length > 1 && html`<${Sparkline} points=${points} version=${points.at(-1).at} label=${name} />`}
    <strong class="number">${points.length ? toWords(family, points.at(-1).value) : "–"} <span class="hint">${unit}</span></strong>
  </li>`;
}
