// Requests to this servient, with the credentials of who is logged in.
import { parseJson } from "./json.js";
import { toOwnUrl } from "./origin.js";
import { Problem } from "./problem.js";
import { askForCredentials, credentials, logOut } from "./session.js";

export function authorization() {
  const known = credentials.value;
  return known ? { Authorization: known.authorization } : {};
}

/** Throws Problem for every answer that is not a success. */
export async function request(href, { method = "GET", headers = {}, body, signal } = {}) {
  const sent = authorization();
  const response = await fetch(toOwnUrl(href), {
    method,
    body,
    signal,
    headers: { ...sent, ...headers },
    credentials: "omit", // or the browser would ask for a password by itself
    redirect: "error",
  }).catch((error) => {
    throw signal?.aborted ? error : Problem.unreachable();
  });
  if (response.ok) return response;
  throw refused(Problem.ofBody(response.status, await response.text()), sent.Authorization);
}

/** An answer that is none; who is not known is asked who they are. */
export function refused(problem, sent) {
  // Unless somebody has logged in since it was sent.
  if (problem.status === 401 && credentials.value?.authorization === sent) {
    if (sent) logOut();
    askForCredentials(sent ? problem.detail : "");
  }
  return problem;
}

export async function readJson(href, options = {}) {
  const response = await request(href, {
    ...options,
    headers: { Accept: "application/json", ...options.headers },
  });
  return response.status === 204 ? undefined : parseJson(await response.text());
}
