// The frame of the page: its name, its parts, and who is logged in.
import { html } from "../libraries/preact.js";
import { askForCredentials, credentials, logOut } from "../core/session.js";
import { route, toHash } from "../core/router.js";
import { useStore } from "../core/store.js";
import { Badge } from "./badge.js";
import { Icon } from "./icon.js";

const PARTS = { things: "Things", invocations: "Invocations", deployments: "Deployments", health: "Health" };
const WORDS = { open: "live", connecting: "connecting", waiting: "reconnecting", closed: "not live" };

export function Header({ servient }) {
  const td = useStore(servient.td);
  const state = useStore(servient.state);
  const known = useStore(credentials);
  return html`<header class="top">
    <a class="skip" href="#main" onClick=${skip}>Skip to the content</a>
    <a class="brand" href=${toHash("things")}><${Icon} name="logo" /><span>${td?.title ?? "servient"}</span></a>
    <${Parts} />
    <div class="row session">
      <${Badge} status=${state} label=${WORDS[state]} />
      ${
        known
          ? html`<button type="button" class="quiet small" onClick=${logOut}>Log out</button>`
          : !isOpen(td) &&
            html`<button type="button" class="small" onClick=${() => askForCredentials()}>Log in</button>`
      }
    </div>
  </header>`;
}

function Parts() {
  const { view } = useStore(route);
  const current = view === "thing" ? "things" : view;
  return html`<nav class="parts" aria-label="Parts of the console">
    ${Object.entries(PARTS).map(
      ([name, title]) => html`<a href=${toHash(name)} aria-current=${current === name ? "page" : undefined}>
        <${Icon} name=${name} /><span>${title}</span></a>`,
    )}
  </nav>`;
}

/** Whether the servient asks nobody for credentials. */
function isOpen(td) {
  const definitions = Object.values(td?.securityDefinitions ?? {});
  return definitions.every((each) => each.scheme === "nosec");
}

/** The part of the address after # says which view is shown. */
function skip(event) {
  event.preventDefault();
  document.getElementById("main").focus();
}
