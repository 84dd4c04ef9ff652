// The few pictures of the page, drawn by hand.
import { html } from "../libraries/preact.js";

const PATHS = {
  logo: "M4 4h5.5a2.5 2.5 0 0 0 5 0H20v16H4zM7.5 11l1.5 6 1.8-5 1.8 5 1.4-6",
  things: "M12 3l8 4.5v9L12 21l-8-4.5v-9zM12 12l8-4.5M12 12v9M12 12L4 7.5",
  invocations: "M4 6h10M4 12h7M4 18h10M15 9l5 3-5 3z",
  deployments: "M12 15V4M8 8l4-4 4 4M4 14v5h16v-5",
  health: "M3 12h4l3-7 4 14 3-7h4",
};

export const Icon = ({ name }) =>
  html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path d=${PATHS[name]} /></svg>`;
