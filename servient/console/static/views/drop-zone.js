// Where files are dropped, or chosen with a click or a key.
import { html, useRef, useState } from "../libraries/preact.js";
import { Icon } from "./icon.js";

export function DropZone({ onFiles }) {
  const [isOver, setOver] = useState(false);
  const input = useRef(null);
  const drop = (event) => {
    event.preventDefault();
    setOver(false);
    onFiles(event.dataTransfer.files);
  };
  const over = (event) => {
    event.preventDefault();
    setOver(true);
  };
  const pick = () => {
    onFiles([...input.current.files]);
    input.current.value = "";
  };
  return html`<label class=${`drop large ${isOver ? "over" : ""}`} onDragOver=${over} onDragLeave=${() => setOver(false)} onDrop=${drop}>
    <input ref=${input} type="file" multiple accept=".wasm,.json,application/wasm,application/json" onChange=${pick}
      aria-label="Files to deploy" />
    <${Icon} name="deployments" />
    <span class="drop-words"><strong>Drop a module here, or choose one</strong>
      <span class="hint">A .wasm file, with its OpenAPI description if it has one, or a manifest as JSON</span></span>
  </label>`;
}
