// A file, dropped or picked.
import { html, useState } from "../libraries/preact.js";
import { toSize } from "../core/format.js";
import { toWanted } from "../results/picture-file.js";
import { FilePreview } from "./file-preview.js";
import { mediaTypeOf } from "./schema.js";

export function FileField({ id, schema, value, onChange, isRequired, wordsId }) {
  const [isOver, setOver] = useState(false);
  const [note, setNote] = useState("");
  const mediaType = mediaTypeOf(schema);

  async function take(file) {
    if (!file) return;
    const wanted = await toWanted(file, mediaType);
    setNote(wanted.isConverted ? `converted to ${mediaType}` : "");
    onChange(wanted.file);
  }
  const drop = (event) => {
    event.preventDefault();
    event.stopPropagation();
    setOver(false);
    take(event.dataTransfer.files[0]);
  };
  const over = (event) => {
    event.preventDefault();
    setOver(true);
  };
  const isThere = value instanceof Blob;
  return html`<div class=${`drop ${isOver ? "over" : ""} ${isThere ? "filled" : ""}`}
      onDragOver=${over} onDragLeave=${() => setOver(false)} onDrop=${drop}>
    <input id=${id} type="file" required=${isRequired && !isThere} aria-describedby=${wordsId}
      onChange=${(event) => take(event.target.files[0])} />
    ${
      isThere
        ? html`<${FilePreview} file=${value} /><span class="drop-words"><strong>${value.name}</strong>
          <span class="hint">${toSize(value.size)}${note && `, ${note}`}</span></span>
          <button type="button" class="quiet small" onClick=${() => onChange(undefined)}>Remove</button>`
        : html`<span class="drop-words" aria-hidden="true">Drop a file here, or <u>choose one</u></span>`
    }
  </div>`;
}
