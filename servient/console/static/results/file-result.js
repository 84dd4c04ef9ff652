// Bytes with a media type: a picture, a text, or something to keep.
import { html, useEffect, useState } from "../libraries/preact.js";
import { toSize } from "../core/format.js";
import { isPicture } from "./picture-file.js";
import { Picture } from "./picture.js";
import { save } from "./save.js";

const TEXT_LIMIT_BYTES = 64 * 1024;
const SUFFIXES = {
  "application/json": ".json",
  "text/plain": ".txt",
  "text/csv": ".csv",
  "image/png": ".png",
  "image/jpeg": ".jpg",
  "image/x-portable-graymap": ".pgm",
  "image/x-portable-pixmap": ".ppm",
};

export function FileResult({ blob, name }) {
  const fileName = name.includes(".") ? name : name + (SUFFIXES[blob.type] ?? ".bin");
  return html`<div class="file-result">
    ${isPicture(blob.type) && html`<${Picture} blob=${blob} alt=${`Picture: ${name}`} />`}
    ${isText(blob.type) && html`<${Text} blob=${blob} />`}
    <div class="row">
      <button type="button" class="small" onClick=${() => save(blob, fileName)}>Download ${fileName}</button>
      <span class="hint">${blob.type}, ${toSize(blob.size)}</span>
    </div>
  </div>`;
}

const isText = (type) => /^(text\/|application\/(.*\+)?(json|xml|yaml)\b)/.test(type);

function Text({ blob }) {
  const [text, setText] = useState("");
  useEffect(() => {
    blob.slice(0, TEXT_LIMIT_BYTES).text().then(setText);
  }, [blob]);
  const rest = blob.size - TEXT_LIMIT_BYTES;
  return html`<pre class="code" tabindex="0">${text}</pre>${rest > 0 && html`<p class="hint">${toSize(rest)} more</p>`}`;
}
