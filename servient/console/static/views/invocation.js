// One invocation that this page began: how it goes, and what came of it.
import { html, useEffect, useState } from "../libraries/preact.js";
import { toDuration } from "../core/format.js";
import { Problem } from "../core/problem.js";
import { useStore } from "../core/store.js";
import { Result } from "../results/result.js";
import { isOver } from "../things/invocation.js";
import { Badge } from "./badge.js";
import { Output } from "./output.js";
import { ProblemBox } from "./problem.js";

export function InvocationCard({ invocation, schema }) {
  const state = useStore(invocation.state);
  const [fault, setFault] = useState(null);
  const isRunning = !isOver(state.status);
  const now = useClock(isRunning);
  const cancel = () => invocation.cancel().catch((error) => setFault(Problem.of(error)));
  const status = state.isCancelled && !isRunning ? "cancelled" : state.status;
  return html`<div class="invocation">
    <div class="row">
      <span role="status"><${Badge} status=${status} /></span>
      <span class="hint">${toDuration((state.endedAt ?? now) - state.startedAt)}</span>
      ${isRunning && html`<button type="button" class="small danger" onClick=${cancel} disabled=${state.isCancelled}>Cancel</button>`}
    </div>
    ${state.status === "sending" && state.sent > 0 && html`<progress max="1" value=${state.sent} aria-label="Input sent"></progress>`}
    <${ProblemBox} problem=${fault} />
    ${!state.isCancelled && html`<${ProblemBox} problem=${state.error} />`}
    ${state.status === "completed" && html`<${Result} value=${state.output} schema=${schema} name=${invocation.action} />`}
    <${Output} of=${state} />
  </div>`;
}

/** The time, again and again while something runs. */
function useClock(isRunning) {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    if (!isRunning) return undefined;
    const timer = setInterval(() => setNow(Date.now()), 250);
    return () => clearInterval(timer);
  }, [isRunning]);
  return now;
}
