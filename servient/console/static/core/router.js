// Which view is shown: the part of the address after #.
import { Store } from "./store.js";

export const route = new Store(parse());

addEventListener("hashchange", () => route.set(parse()));

/** {view, name, query}: "#/things/urn:x?tab=td" is things, urn:x, {tab: td}. */
function parse() {
  const [path, query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const [view, ...rest] = path.split("/");
  return {
    view: view || "things",
    name: decode(rest.join("/")),
    query: Object.fromEntries(new URLSearchParams(query)),
  };
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export const toHash = (view, name = "") => `#/${view}${name ? `/${encodeURIComponent(name)}` : ""}`;
