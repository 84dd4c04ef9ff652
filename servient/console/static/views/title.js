// The name of a view: its heading, and the title of the window.
import { html, useEffect } from "../libraries/preact.js";

const servient = document.title;

export function Title({ text, children }) {
  useEffect(() => {
    document.title = `${text} · ${servient}`;
    return () => (document.title = servient);
  }, [text]);
  return html`<div class="title-row"><h1 tabindex="-1">${text}</h1>${children}</div>`;
}
