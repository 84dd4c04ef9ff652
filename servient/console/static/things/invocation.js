// One invocation of an action, from sending its input to its end.
import { parseJson } from "../core/json.js";
import { readJson, request } from "../core/http.js";
import { Problem } from "../core/problem.js";
import { Store } from "../core/store.js";
import { upload } from "../core/upload.js";
import { affordance, ownForm } from "./description.js";

const PAUSES_MS = [20, 60, 120, 250, 500];
const RETRY_MS = 1000;
const TRIES = 30;
const OVER = new Set(["completed", "failed"]);

export const isOver = (status) => OVER.has(status);

let count = 0;

export class Invocation {
  /**
   * {status, sent, href, startedAt, endedAt, output, error, stdout, stderr, isCancelled}: status is
   * "sending", "pending", "running", "completed" or "failed"; sent the share of the input, 0 to 1.
   */
  state = new Store({ status: "sending", sent: 0, startedAt: Date.now(), endedAt: null });
  number = (count += 1);
  #sending = new AbortController();

  constructor(td, action, { contentType, body }) {
    this.td = td;
    this.action = action;
    const form = ownForm(affordance(td, "actions", action), "invokeaction", undefined);
    this.finished = this.#run(form, contentType, body);
  }

  #change(changes) {
    this.state.set({ ...this.state.value, ...changes });
  }

  async #run(form, contentType, body) {
    try {
      const status = await this.#send(form, contentType, body);
      if (status !== null) await this.#follow(status);
    } catch (error) {
      this.#change({ status: "failed", error: Problem.of(error), endedAt: Date.now() });
    }
  }

  async #send(form, contentType, body) {
    const headers = { Prefer: "respond-async", Accept: "application/json" };
    if (contentType) headers["Content-Type"] = contentType;
    const answer = await upload(form.href, {
      headers,
      body,
      signal: this.#sending.signal,
      onProgress: (sent) => this.#change({ sent }),
    });
    if (answer.status === 201) return parseJson(answer.text);
    const output = answer.text === "" ? undefined : parseJson(answer.text);
    this.#change({ status: "completed", output, endedAt: Date.now() });
    return null;
  }

  async #follow(first) {
    this.#change({ sent: 1, status: "pending", href: first.href });
    // Also of one that is over by now: its files are in the answer that is asked for alone.
    for (let turn = 0; ; turn += 1) {
      const status = await this.#look(first.href);
      if (isOver(status.status)) return this.#end(status);
      this.#change({ status: status.status });
      await pause(PAUSES_MS[Math.min(turn, PAUSES_MS.length - 1)]);
    }
  }

  /** How it goes; what cannot be reached for a moment is asked again. */
  async #look(href) {
    for (let patience = TRIES; ; patience -= 1) {
      try {
        return await readJson(href);
      } catch (error) {
        if (error.status !== 0 || patience <= 0) throw error;
        await pause(RETRY_MS);
      }
    }
  }

  #end(status) {
    const { isCancelled, startedAt } = this.state.value;
    const took = Date.parse(status.timeEnded) - Date.parse(status.timeRequested);
    this.#change({
      status: status.status,
      href: status.href,
      output: status.output,
      stdout: status.stdout,
      stderr: status.stderr,
      error: status.error ? new Problem(status.error) : null,
      endedAt: startedAt + (Number.isFinite(took) ? took : Date.now() - startedAt),
      isCancelled: Boolean(isCancelled && status.status === "failed"),
    });
  }

  async cancel() {
    this.#change({ isCancelled: true });
    const { href } = this.state.value;
    if (href) await request(href, { method: "DELETE" });
    else this.#sending.abort();
  }
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
