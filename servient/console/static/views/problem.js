// What went wrong, shown.
import { html } from "../libraries/preact.js";

export function ProblemBox({ problem }) {
  if (!problem) return null;
  return html`<div class="problem" role="alert">
    <strong>${problem.title}</strong>
    ${problem.detail && html`<p>${problem.detail}</p>`}
    ${
      problem.errors.length > 0 &&
      html`<ul>${problem.errors.map((each) => html`<li><code>${String(each.pointer ?? "")}</code> ${String(each.detail ?? "")}</li>`)}</ul>`
    }
  </div>`;
}
