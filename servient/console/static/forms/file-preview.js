// A small picture of a file that is one.
import { html } from "../libraries/preact.js";
import { Picture } from "../results/picture.js";
import { isPicture } from "../results/picture-file.js";

export function FilePreview({ file }) {
  return isPicture(file.type) ? html`<${Picture} blob=${file} alt="" class="thumb" />` : null;
}
