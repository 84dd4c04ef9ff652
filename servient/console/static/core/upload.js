// A POST whose body may be on its way for long enough to be shown.
import { authorization, refused, request } from "./http.js";
import { toOwnUrl } from "./origin.js";
import { Problem } from "./problem.js";

const LONG_BYTES = 256 * 1024;

/** Gives {status, text}. `onProgress` gets the sent share of a long one, 0 to 1. Throws Problem. */
export async function upload(href, { headers = {}, body, onProgress = () => {}, signal } = {}) {
  if (sizeOf(body) > LONG_BYTES) return sendLong(href, headers, body, onProgress, signal);
  const answer = await request(href, { method: "POST", headers, body, signal });
  return { status: answer.status, text: await answer.text() };
}

function sizeOf(body) {
  if (body instanceof FormData)
    return [...body.values()].reduce((sum, each) => sum + (each.size ?? each.length), 0);
  return body?.size ?? body?.length ?? 0;
}

/** Unlike fetch, XMLHttpRequest tells how far it is. */
function sendLong(href, headers, body, onProgress, signal) {
  return new Promise((resolve, reject) => {
    const known = authorization();
    const exchange = new XMLHttpRequest();
    exchange.open("POST", toOwnUrl(href));
    for (const [name, value] of Object.entries({ ...known, ...headers }))
      exchange.setRequestHeader(name, value);
    exchange.upload.onprogress = (event) => event.lengthComputable && onProgress(event.loaded / event.total);
    exchange.upload.onload = () => onProgress(1);
    exchange.onload = () => {
      const { status, responseText: text } = exchange;
      if (status >= 200 && status < 300) resolve({ status, text });
      else reject(refused(Problem.ofBody(status, text), known.Authorization));
    };
    exchange.onerror = () => reject(Problem.unreachable());
    exchange.onabort = () => reject(new Problem({ title: "Cancelled", detail: "It was not sent." }));
    signal?.addEventListener("abort", () => exchange.abort());
    exchange.send(body);
  });
}
