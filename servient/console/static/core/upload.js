// A request whose body is on its way for long enough to be shown: fetch does not tell how far it is.
import { authorization, refused } from "./http.js";
import { toOwnUrl } from "./origin.js";
import { Problem } from "./problem.js";

/** Gives {status, text, location}. `onProgress` gets the sent share, 0 to 1. Throws Problem. */
export function upload(href, { headers = {}, body, onProgress = () => {}, signal } = {}) {
  return new Promise((resolve, reject) => {
    const known = authorization();
    const exchange = new XMLHttpRequest();
    exchange.open("POST", toOwnUrl(href));
    for (const [name, value] of Object.entries({ ...known, ...headers })) exchange.setRequestHeader(name, value);
    exchange.upload.onprogress = (event) => event.lengthComputable && onProgress(event.loaded / event.total);
    exchange.upload.onload = () => onProgress(1);
    exchange.onload = () => {
      const { status, responseText: text } = exchange;
      if (status >= 200 && status < 300) resolve({ status, text, location: exchange.getResponseHeader("Location") });
      else reject(refused(Problem.ofBody(status, text), known.Authorization));
    };
    exchange.onerror = () => reject(Problem.unreachable());
    exchange.onabort = () => reject(new Problem({ title: "Cancelled", detail: "It was not sent." }));
    signal?.addEventListener("abort", () => exchange.abort());
    exchange.send(body);
  });
}
