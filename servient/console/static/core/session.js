// Who is logged in: credentials for this tab alone, forgotten when it is closed.
import { Store } from "./store.js";

const KEY = "credentials";

/** {name, authorization} or null. */
export const credentials = new Store(restore());

/** Why credentials are asked for, or null while nobody asks. */
export const logInWanted = new Store(null);

function restore() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY));
  } catch {
    return null;
  }
}

export const toBearer = (token) => ({ name: "token", authorization: `Bearer ${token}` });

export function toBasic(name, password) {
  const bytes = new TextEncoder().encode(`${name}:${password}`);
  return { name, authorization: `Basic ${btoa(String.fromCharCode(...bytes))}` };
}

export function logIn(found) {
  sessionStorage.setItem(KEY, JSON.stringify(found));
  logInWanted.set(null);
  credentials.set(found);
}

export function logOut() {
  sessionStorage.removeItem(KEY);
  credentials.set(null);
}

export function askForCredentials(reason = "") {
  if (logInWanted.value === null) logInWanted.set(reason);
}
