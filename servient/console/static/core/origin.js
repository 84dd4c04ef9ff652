// Which URLs are this servient's: nothing is ever asked of another origin.
import { Problem } from "./problem.js";

let named = location.origin;
let tell;

/** Resolves when it is known which forms are the servient's own. */
export const originKnown = new Promise((resolve) => (tell = resolve));

/** The origin that the servient calls its own in forms, which may not be the one in the address bar. */
export function setServientOrigin(origin) {
  named = origin;
  tell();
}

export function isOwn(href) {
  const url = parse(href);
  return url !== null && (url.origin === named || url.origin === location.origin);
}

/** The URL under which this page reaches it. Throws Problem for another origin's. */
export function toOwnUrl(href) {
  if (!isOwn(href)) {
    throw new Problem({
      title: "Elsewhere",
      detail: "This form leads to another origin: the page does not follow it.",
    });
  }
  const url = parse(href);
  return location.origin + url.pathname + url.search;
}

function parse(href) {
  try {
    return new URL(href, location.origin);
  } catch {
    return null;
  }
}
