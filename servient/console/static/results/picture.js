// Bytes that are a picture, shown.
import { html, useEffect, useRef, useState } from "../libraries/preact.js";
import { isPnm } from "./picture-file.js";
import { decodePnm } from "./pnm.js";

export function Picture({ blob, alt, class: look = "picture" }) {
  return isPnm(blob.type)
    ? html`<${Drawn} blob=${blob} alt=${alt} look=${look} />`
    : html`<${Loaded} blob=${blob} alt=${alt} look=${look} />`;
}

function Loaded({ blob, alt, look }) {
  const [url, setUrl] = useState("");
  useEffect(() => {
    const made = URL.createObjectURL(blob);
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [blob]);
  return url && html`<img src=${url} alt=${alt} class=${look} />`;
}

function Drawn({ blob, alt, look }) {
  const canvas = useRef(null);
  const [fault, setFault] = useState("");
  useEffect(() => {
    let isWanted = true;
    const draw = (buffer) => {
      if (!isWanted || !canvas.current) return;
      const picture = decodePnm(new Uint8Array(buffer));
      canvas.current.width = picture.width;
      canvas.current.height = picture.height;
      canvas.current.getContext("2d").putImageData(picture, 0, 0);
    };
    blob
      .arrayBuffer()
      .then(draw)
      .catch((error) => setFault(error.message));
    return () => (isWanted = false);
  }, [blob]);
  if (fault) return html`<span class="hint">It cannot be shown: ${fault}.</span>`;
  return html`<canvas ref=${canvas} class=${look} role="img" aria-label=${alt} aria-hidden=${alt === "" ? "true" : undefined}></canvas>`;
}
