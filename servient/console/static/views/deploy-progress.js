// How far a deployment is: sent, being compiled, there.
import { html } from "../libraries/preact.js";
import { toDuration } from "../core/format.js";
import { toHash } from "../core/router.js";
import { useStore } from "../core/store.js";
import { ProblemBox } from "./problem.js";

export function DeployProgress({ invocation }) {
  const { status, sent, output, error, startedAt, endedAt } = useStore(invocation.state);
  if (status === "failed") return html`<${ProblemBox} problem=${error} />`;
  if (status === "completed") {
    return html`<div class="done" role="status"><strong>Deployed ${output?.deploymentId}</strong>
      <span class="hint">in ${toDuration(endedAt - startedAt)}</span>
      <p class="chips">${(output?.things ?? []).map((name) => html`<a class="chip" href=${toHash("thing", name)}>${name}</a>`)}</p></div>`;
  }
  const isSent = sent >= 1;
  return html`<div class="field" role="status"><span>${isSent ? "Compiling and starting…" : "Sending…"}</span>
    ${
      isSent
        ? html`<progress aria-label="Compiling"></progress>`
        : html`<progress max="1" value=${sent} aria-label="Sent"></progress>`
    }</div>`;
}
