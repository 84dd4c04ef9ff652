// A button that copies a text.
import { html, useState } from "../libraries/preact.js";

const SHOWN_MS = 1500;

export function Copy({ text, label = "Copy" }) {
  const [said, say] = useState("");
  const copy = async () => {
    say((await write(text)) ? "Copied" : "Select it and copy by hand");
    setTimeout(() => say(""), SHOWN_MS);
  };
  return html`<button type="button" class="quiet small copy" onClick=${copy}>${said || label}</button>
    <span class="unseen" role="status">${said}</span>`;
}

/** The clipboard is for pages that came over TLS or from this machine; others have an older way. */
async function write(text) {
  if (navigator.clipboard)
    return navigator.clipboard.writeText(text).then(
      () => true,
      () => false,
    );
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  const isDone = document.execCommand("copy");
  area.remove();
  return isDone;
}
