// Logging in: with a token, or a name and a password.
import { html, useState } from "../libraries/preact.js";
import { Problem } from "../core/problem.js";
import { logIn, logInWanted, toBasic, toBearer } from "../core/session.js";
import { toOwnUrl } from "../core/origin.js";
import { useStore } from "../core/store.js";
import { Dialog } from "./dialog.js";
import { ProblemBox } from "./problem.js";

export function LogIn() {
  const reason = useStore(logInWanted);
  return reason !== null && html`<${LogInForm} reason=${reason} />`;
}

function LogInForm({ reason }) {
  const [way, setWay] = useState("token");
  const [problem, setProblem] = useState(
    reason ? new Problem({ title: "Log in again", detail: reason }) : null,
  );
  const [isBusy, setBusy] = useState(false);
  const close = () => logInWanted.set(null);

  async function send(event) {
    event.preventDefault();
    const fields = new FormData(event.target);
    const found =
      way === "token"
        ? toBearer(fields.get("token").trim())
        : toBasic(fields.get("name"), fields.get("password"));
    setBusy(true);
    const fault = await check(found);
    setBusy(false);
    if (fault) setProblem(fault);
    else logIn(found);
  }
  return html`<${Dialog} title="Log in" onClose=${close}>
    <p class="words">Credentials stay in this tab, and are forgotten when it is closed.</p>
    <div class="row tabs" role="group" aria-label="Way to log in">
      ${["token", "password"].map(
        (
          each,
        ) => html`<button type="button" class="tab small" aria-pressed=${String(way === each)} onClick=${() => setWay(each)}>
          ${each === "token" ? "Token" : "Name and password"}</button>`,
      )}
    </div>
    <form onSubmit=${send}>
      ${
        way === "token"
          ? html`<div class="field"><label for="token">Token</label>
            <input id="token" name="token" type="password" autocomplete="off" required autofocus /></div>`
          : html`<div class="field"><label for="name">Name</label>
              <input id="name" name="name" autocomplete="username" required autofocus /></div>
            <div class="field"><label for="password">Password</label>
              <input id="password" name="password" type="password" autocomplete="current-password" required /></div>`
      }
      <${ProblemBox} problem=${problem} />
      <div class="row end">
        <button type="button" class="quiet" onClick=${close}>Not now</button>
        <button type="submit" class="primary" disabled=${isBusy}>Log in</button>
      </div>
    </form>
  </${Dialog}>`;
}

/** Undefined when the servient knows them: whether they may read a list does not matter. */
async function check(found) {
  try {
    const headers = { Authorization: found.authorization };
    const answer = await fetch(toOwnUrl("/things?limit=1"), { headers, credentials: "omit" });
    return answer.status === 401 || answer.status === 429
      ? Problem.ofBody(answer.status, await answer.text())
      : undefined;
  } catch {
    return Problem.unreachable();
  }
}
