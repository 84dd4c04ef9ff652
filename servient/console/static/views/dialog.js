// A window over the page: the browser keeps the focus in it and gives it back.
import { html, useEffect, useId, useRef } from "../libraries/preact.js";

export function Dialog({ title, onClose, children }) {
  const dialog = useRef(null);
  const id = useId();
  useEffect(() => {
    const shown = dialog.current;
    shown.showModal();
    return () => shown.close();
  }, []);
  return html`<dialog ref=${dialog} aria-labelledby=${id} onCancel=${onClose}>
    <h2 id=${id}>${title}</h2>
    ${children}
  </dialog>`;
}
