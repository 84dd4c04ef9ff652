// How the machine is, and what the servient counts.
import { html, useEffect, useState } from "../libraries/preact.js";
import { toDuration, toSize } from "../core/format.js";
import { useStore } from "../core/store.js";
import { Chart } from "../plots/chart.js";
import { HealthFeed } from "../things/health-feed.js";
import { MetricsTable } from "./metrics.js";
import { ProblemBox } from "./problem.js";
import { Title } from "./title.js";

const toPercent = (value) => `${Math.round(value * 100)} %`;
const toRate = (value) => `${toSize(value)}/s`;

export function HealthView({ servient }) {
  const [feed] = useState(() => new HealthFeed(servient));
  const { now, problem, cpu, memory, down, up, families } = useStore(feed.state);
  useEffect(() => () => feed.close(), []);
  return html`<${Title} text="Health">
      ${now && html`<p class="hint">up ${typeof now.uptime === "number" ? toDuration(now.uptime * 1000) : String(now.uptime)}</p>`}</${Title}>
    <${ProblemBox} problem=${problem} />
    <div class="charts">
      <${Chart} title="Processor" lines=${[{ name: "used", points: cpu }]} format=${toPercent} most=${1} />
      <${Chart} title="Memory" lines=${[{ name: "used", points: memory }]} format=${toPercent} most=${1} />
      <${Chart} title="Network" lines=${[
        { name: "in", points: down },
        { name: "out", points: up },
      ]} format=${toRate} />
      ${now && Object.keys(now.storageUsage ?? {}).length > 0 && html`<${Storage} usage=${now.storageUsage} />`}
      ${now?.logs && html`<${Logs} logs=${now.logs} />`}
    </div>
    ${families.length > 0 && html`<h2 class="minor">Metrics</h2><${MetricsTable} families=${families} />`}`;
}

const Storage = ({ usage }) =>
  html`<div class="card"><h3>Storage</h3><ul class="bars">${Object.entries(usage).map(
    ([
      name,
      share,
    ]) => html`<li><span>${name}</span><meter min="0" max="1" low="0.8" high="0.95" optimum="0" value=${share} aria-label=${name}></meter>
    <strong>${toPercent(share)}</strong></li>`,
  )}</ul></div>`;

const Logs = ({ logs }) =>
  html`<div class="card"><h3>Log entries for the orchestrator</h3><dl class="figures">${Object.entries(
    logs,
  ).map(([name, count]) => html`<div><dt>${name}</dt><dd>${String(count)}</dd></div>`)}</dl></div>`;
