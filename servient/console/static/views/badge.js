// The state of an invocation or a connection, in a word and a colour.
import { html } from "../libraries/preact.js";

const LOOKS = new Map(
  Object.entries({
    completed: "good",
    open: "good",
    failed: "bad",
    closed: "bad",
    cancelled: "dim",
    running: "busy",
    sending: "busy",
    pending: "busy",
    connecting: "busy",
    waiting: "busy",
  }),
);

export const Badge = ({ status, label = status }) =>
  html`<span class=${`badge ${LOOKS.get(status) ?? "dim"}`}>${label}</span>`;
