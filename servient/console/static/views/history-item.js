// One remembered invocation: its state and duration, and on demand its result and what it printed.
import { html, useState } from "../libraries/preact.js";
import { toDuration, toTime } from "../core/format.js";
import { readJson, request } from "../core/http.js";
import { Problem } from "../core/problem.js";
import { Result } from "../results/result.js";
import { affordance } from "../things/description.js";
import { isOver } from "../things/invocation.js";
import { Badge } from "./badge.js";
import { Output } from "./output.js";
import { ProblemBox } from "./problem.js";

export function HistoryItem({ status, toHref, findTd, onChange }) {
  const [more, setMore] = useState(null);
  const [problem, setProblem] = useState(null);
  const isRunning = !isOver(status.status);

  async function attempt(work) {
    try {
      setProblem(null);
      await work();
    } catch (error) {
      setProblem(Problem.of(error));
    }
  }
  const show = () =>
    attempt(async () => {
      if (more) return setMore(null);
      const [full, td] = [await readJson(await toHref(status)), await findTd(status)];
      return setMore({ ...status, ...full, schema: affordance(td, "actions", status.action).output });
    });
  const cancel = () =>
    attempt(async () => {
      await request(await toHref(status), { method: "DELETE" });
      onChange();
    });
  const fault = status.error && new Problem(status.error);
  return html`<li>
    <div class="row history-row">
      <${Badge} status=${status.status} />
      <span class="history-name"><strong>${status.action}</strong>${status.thing && html` <span class="hint">${status.thing}</span>`}</span>
      <span class="hint">${toTime(status.timeRequested)}</span>
      <span class="hint took">${isRunning ? "" : toDuration(Date.parse(status.timeEnded) - Date.parse(status.timeRequested))}</span>
      ${
        isRunning
          ? html`<button type="button" class="small danger" onClick=${cancel} aria-label=${`Cancel ${status.action}`}>Cancel</button>`
          : html`<button type="button" class="small" onClick=${show} aria-expanded=${String(more !== null)} aria-label=${`Details of ${status.action}`}>${more ? "Hide" : "Details"}</button>`
      }
    </div>
    ${fault && html`<p class="fault"><strong>${fault.title}</strong> ${fault.detail}</p>`}
    <${ProblemBox} problem=${problem} />
    ${
      more &&
      html`<div class="history-more">
      ${!fault && html`<${Result} value=${more.output} schema=${more.schema} name=${status.action} />`}
      <${Output} of=${more} />
    </div>`
    }
  </li>`;
}
