// What is deployed, deploying more, and taking it away.
import { html, useEffect, useState } from "../libraries/preact.js";
import { Problem } from "../core/problem.js";
import { toHash } from "../core/router.js";
import { useStore } from "../core/store.js";
import { ownForm } from "../things/description.js";
import { Invocation } from "../things/invocation.js";
import { DeployForm } from "./deploy.js";
import { Dialog } from "./dialog.js";
import { InvocationCard } from "./invocation.js";
import { ProblemBox } from "./problem.js";
import { Title } from "./title.js";

export function DeploymentsView({ servient }) {
  const td = useStore(servient.td);
  const deployments = useStore(servient.deployments);
  const [leaving, setLeaving] = useState(null);
  const [problem, setProblem] = useState(null);
  useEffect(() => {
    if (td !== null) servient.refreshDeployments().catch((error) => setProblem(Problem.of(error)));
  }, [td]);
  if (td === null) return html`<${Title} text="Deployments" />`;
  return html`<${Title} text="Deployments" />
    ${ownForm(servient.action("deploy"), "invokeaction", undefined) && html`<${DeployForm} servient=${servient} />`}
    <h2 class="minor">Deployed</h2>
    <${ProblemBox} problem=${problem} />
    ${deployments?.length === 0 && html`<p class="words">Nothing is deployed yet.</p>`}
    ${
      deployments?.length > 0 &&
      html`<ul class="deployments card">${deployments.map(
        (each) =>
          html`<${Deployment} key=${each.deploymentId} deployment=${each} onLeave=${() => setLeaving(each.deploymentId)} />`,
      )}</ul>`
    }
    ${leaving !== null && html`<${Undeploy} servient=${servient} id=${leaving} onClose=${() => setLeaving(null)} />`}`;
}

function Deployment({ deployment, onLeave }) {
  const { deploymentId, modules, things, error } = deployment;
  return html`<li class="row deployment">
    <div class="grow"><h3>${deploymentId}</h3>
      <p class="hint">${modules.length === 1 ? "Module" : "Modules"} ${modules.join(", ")}</p>
      ${error && html`<p class="fault"><strong>Not brought back</strong> ${error}</p>`}</div>
    <p class="chips">${things.map((name) => html`<a class="chip" href=${toHash("thing", name)}>${name}</a>`)}</p>
    <button type="button" class="small danger" onClick=${onLeave} aria-label=${`Undeploy ${deploymentId}`}>Undeploy</button>
  </li>`;
}

function Undeploy({ servient, id, onClose }) {
  const [invocation, setInvocation] = useState(null);
  const start = () => {
    const body = { contentType: "application/json", body: JSON.stringify({ deploymentId: id }) };
    const begun = new Invocation(servient.td.value, "undeploy", body);
    setInvocation(begun);
    begun.finished.then(() => {
      if (begun.state.value.status !== "completed") return;
      onClose();
      servient.refreshDeployments().catch(() => {});
    });
  };
  return html`<${Dialog} title=${`Undeploy ${id}?`} onClose=${onClose}>
    <p>Its Things and files are removed, and who observes them is cut off.</p>
    ${invocation && html`<${InvocationCard} invocation=${invocation} />`}
    <div class="row end"><button type="button" class="quiet" onClick=${onClose} autofocus>Keep it</button>
      <button type="button" class="danger solid" onClick=${start}>Undeploy</button></div>
  </${Dialog}>`;
}
