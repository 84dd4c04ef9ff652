// Server-Sent Events over fetch, which unlike EventSource can say who asks.
import { EventParser } from "./event-parser.js";
import { request } from "./http.js";
import { Problem } from "./problem.js";
import { Store } from "./store.js";

const RETRY_MS = 1000;
const RETRY_LIMIT_MS = 15000;
// A tab that nobody looks at gives back its connections: a browser has six for all of an origin's tabs.
const HIDDEN_MS = 10000;
const FINAL = new Set([401, 403, 404, 405, 415]);

export class EventStream {
  /** "connecting", "open", "waiting", "closed". */
  state = new Store("connecting");
  #href;
  #onMessage;
  #lastId = null;
  #controller = null;
  #timer = 0;
  #retry = RETRY_MS;
  #isStopped = false;

  constructor(href, onMessage) {
    this.#href = href;
    this.#onMessage = onMessage;
    document.addEventListener("visibilitychange", this.#look);
    this.#run();
  }

  close() {
    this.#isStopped = true;
    document.removeEventListener("visibilitychange", this.#look);
    this.#pause();
    this.state.set("closed");
  }

  #pause = () => {
    clearTimeout(this.#timer);
    this.#controller?.abort();
    this.#controller = null;
  };

  #look = () => {
    clearTimeout(this.#timer);
    if (document.hidden) this.#timer = setTimeout(this.#pause, HIDDEN_MS);
    else if (this.#controller === null) this.#run();
  };

  async #run() {
    const controller = (this.#controller = new AbortController());
    this.state.set("connecting");
    try {
      await this.#read(controller.signal);
      this.#again(controller);
    } catch (error) {
      if (controller.signal.aborted) return;
      if (error instanceof Problem && FINAL.has(error.status)) this.close();
      else this.#again(controller);
    }
  }

  async #read(signal) {
    const headers = { Accept: "text/event-stream" };
    if (this.#lastId !== null) headers["Last-Event-ID"] = this.#lastId;
    const response = await request(this.#href, { headers, signal });
    this.state.set("open");
    this.#retry = RETRY_MS;
    const parser = new EventParser();
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
      for (const message of parser.feed(piece.value)) {
        if (message.id !== null) this.#lastId = message.id;
        if (!this.#isStopped) this.#onMessage(message.event, message.data);
      }
    }
  }

  #again(controller) {
    if (this.#isStopped || this.#controller !== controller) return;
    this.state.set("waiting");
    this.#timer = setTimeout(() => this.#run(), this.#retry);
    this.#retry = Math.min(this.#retry * 2, RETRY_LIMIT_MS);
  }
}
