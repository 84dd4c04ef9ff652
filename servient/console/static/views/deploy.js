// Deploying what is dropped: modules, their descriptions, or a manifest.
import { html, useState } from "../libraries/preact.js";
import { toJson } from "../core/json.js";
import { toSize } from "../core/format.js";
import { Problem } from "../core/problem.js";
import { MANIFEST_LIMIT_BYTES, readDropped, toManifest, toName } from "../things/deployment.js";
import { Invocation } from "../things/invocation.js";
import { DeployProgress } from "./deploy-progress.js";
import { DropZone } from "./drop-zone.js";
import { ProblemBox } from "./problem.js";

const NOUNS = { module: "Module", description: "Description", manifest: "Manifest" };

export function DeployForm({ servient }) {
  const [parts, setParts] = useState([]);
  const [id, setId] = useState("");
  const [options, setOptions] = useState({});
  const [problem, setProblem] = useState(null);
  const [invocation, setInvocation] = useState(null);

  async function take(files) {
    setProblem(null);
    try {
      const read = await Promise.all([...files].map(readDropped));
      const names = new Set(read.map(({ file }) => file.name));
      const all = [...parts.filter(({ file }) => !names.has(file.name)), ...read];
      setParts(all);
      if (id === "") setId(idOf(all));
    } catch (error) {
      setProblem(Problem.of(error));
    }
  }

  async function deploy(event) {
    event.preventDefault();
    setProblem(null);
    try {
      const body = toJson(await toManifest(id, parts, options));
      if (body.length > MANIFEST_LIMIT_BYTES * 1.4) throw tooLarge(body.length);
      const begun = new Invocation(servient.td.value, "deploy", { contentType: "application/json", body });
      setInvocation(begun);
      await begun.finished;
      if (begun.state.value.status === "completed") reset();
    } catch (error) {
      setProblem(Problem.of(error));
    }
  }
  const reset = () => {
    setParts([]);
    setId("");
    servient.refreshDeployments().catch(() => {});
  };
  const remove = (part) => setParts(parts.filter((each) => each !== part));
  const isReady = parts.some(({ kind }) => kind !== "description");
  return html`<form class="card deploy" onSubmit=${deploy} aria-label="Deploy">
    <${DropZone} onFiles=${take} />
    ${
      parts.length > 0 &&
      html`<ul class="parts-list">${parts.map(
        (
          part,
        ) => html`<li class="row"><span class="badge dim">${NOUNS[part.kind]}</span><strong class="grow">${part.file.name}</strong>
        <span class="hint">${toSize(part.file.size)}</span>
        <button type="button" class="quiet small" onClick=${() => remove(part)} aria-label=${`Remove ${part.file.name}`}>Remove</button></li>`,
      )}</ul>`
    }
    ${
      isReady &&
      html`<div class="field"><label for="deployment-id">Name of the deployment</label>
        <input id="deployment-id" value=${id} required pattern="[A-Za-z0-9_][A-Za-z0-9._\\-]{0,127}" maxlength="128"
          title="Letters, digits, . _ and -" onInput=${(event) => setId(event.target.value)} /></div>
      ${!parts.some(({ kind }) => kind === "manifest") && html`<${Options} options=${options} onChange=${setOptions} />`}
      <div class="row"><button type="submit" class="primary">Deploy</button></div>`
    }
    ${parts.length > 0 && !isReady && html`<p class="words">A description needs its module: drop that, too.</p>`}
    <${ProblemBox} problem=${problem} />
    ${invocation && html`<${DeployProgress} key=${invocation.number} invocation=${invocation} />`}
  </form>`;
}

function idOf(parts) {
  const manifest = parts.find(({ kind }) => kind === "manifest");
  if (typeof manifest?.document.deploymentId === "string") return manifest.document.deploymentId;
  const named = parts.find(({ kind }) => kind === "module") ?? manifest;
  return named ? toName(named.file.name) : "";
}

const tooLarge = (length) =>
  new Problem({
    title: "Too large",
    detail: `${toSize(length)} are more than a manifest may have: give it a URL of the module instead.`,
  });

const CHOICES = {
  stateless: "Run calls side by side, without state",
  isolated: "Run it in a process of its own",
};

function Options({ options, onChange }) {
  const change = (name, isOn) => {
    const { [name]: _, ...others } = options;
    onChange(isOn ? { ...others, [name]: true } : others);
  };
  return html`<div class="options">${Object.entries(CHOICES).map(
    ([name, words]) => html`<label class="row"><input type="checkbox" checked=${options[name] === true}
      onChange=${(event) => change(name, event.target.checked)} /> ${words}</label>`,
  )}</div>`;
}
