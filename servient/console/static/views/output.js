// What a module printed during an invocation.
import { html } from "../libraries/preact.js";

const STREAMS = { stdout: "Standard output", stderr: "Standard error" };

export function Output({ of }) {
  return Object.entries(STREAMS)
    .filter(([name]) => typeof of[name] === "string" && of[name] !== "")
    .map(
      ([name, title]) => html`<details class="printed" open key=${name}><summary>${title}</summary>
        <pre class="code" tabindex="0">${of[name]}</pre></details>`,
    );
}
