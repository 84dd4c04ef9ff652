// The invocations that the servient remembers, asked for again while somebody looks at them.
import { Problem } from "../core/problem.js";
import { Store } from "../core/store.js";

const PAUSE_MS = 2000;
// Of the time between two looks, at most this share goes into looking.
const SHARE = 0.2;

export class History {
  /** {statuses, problem}; statuses is null until the first answer. */
  list = new Store({ statuses: null, problem: null });
  #read;
  #timer = 0;
  #isClosed = false;
  #isReading = false;

  /** `read` gives them; newest last. */
  constructor(read) {
    this.#read = read;
    this.refresh();
  }

  async refresh() {
    if (this.#isReading || this.#isClosed) return;
    clearTimeout(this.#timer);
    this.#isReading = true;
    const begun = performance.now();
    try {
      if (!document.hidden) this.list.set({ statuses: (await this.#read()).reverse(), problem: null });
    } catch (error) {
      this.list.set({ ...this.list.value, problem: Problem.of(error) });
    }
    this.#isReading = false;
    const took = performance.now() - begun;
    if (!this.#isClosed) this.#timer = setTimeout(() => this.refresh(), Math.max(PAUSE_MS, took / SHARE));
  }

  close() {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }
}
