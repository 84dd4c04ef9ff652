// The list of Things, page by page (WoT Discovery), and what changes in it.
import { readJson } from "../core/http.js";
import { originKnown } from "../core/origin.js";
import { Problem } from "../core/problem.js";
import { Store } from "../core/store.js";
import { summarize } from "./description.js";

const PAGE = 40;
// When so many have changed, the list is read anew.
const CHANGES_LIMIT = 20;
const SETTLE_MS = 300;

export class Directory {
  /** {things: [summary], total, isLoading, problem}. */
  list = new Store({ things: [], total: null, isLoading: true, problem: null });
  #known = new Map();
  #next = null;
  #loading = null;
  #changed = new Set();
  #timer = 0;
  #generation = 0;

  get isComplete() {
    return this.#next === null;
  }

  /** From the start: somebody else looks, or much has changed. */
  async reload() {
    this.#generation += 1;
    this.#known = new Map();
    this.#next = `/things?format=collection&offset=0&limit=${PAGE}`;
    this.#loading = null;
    await this.loadMore();
  }

  /** One page more, if there is one. */
  loadMore() {
    this.#loading ??= this.#load().finally(() => (this.#loading = null));
    return this.#loading;
  }

  /** All that is left, until `isWanted` says no. */
  async loadAll(isWanted) {
    while (!this.isComplete && !this.list.value.problem && isWanted()) await this.loadMore();
  }

  async #load() {
    if (this.#next === null) return;
    const generation = this.#generation;
    this.#show({ isLoading: true, problem: null });
    try {
      const page = await readJson(this.#next);
      if (generation !== this.#generation) return;
      for (const td of page.members) this.#add(td);
      this.#next = page.next ?? null;
      this.#show({ isLoading: false, total: page.total });
    } catch (error) {
      if (generation === this.#generation) this.#show({ isLoading: false, problem: Problem.of(error) });
    }
  }

  #add(td) {
    const summary = summarize(td);
    this.#known.set(summary.id, summary);
  }

  #show(changes) {
    const { total } = { ...this.list.value, ...changes };
    const things = [...this.#known.values()];
    this.list.set({ ...this.list.value, things, ...changes, total: Math.max(total ?? 0, things.length) });
  }

  /** An event of the servient's Thing about another one. */
  heard({ name, data }) {
    if (!["thingCreated", "thingUpdated", "thingDeleted"].includes(name)) return;
    this.#changed.add(data.id);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#settle(), SETTLE_MS);
  }

  async #settle() {
    const ids = [...this.#changed];
    this.#changed.clear();
    if (ids.length > CHANGES_LIMIT) return this.reload();
    let { total } = this.list.value;
    for (const id of ids) {
      const was = this.#known.has(id);
      const td = await readThing(id).catch(() => null);
      if (td) this.#add(td);
      else this.#known.delete(id);
      total += Number(this.#known.has(id)) - Number(was);
    }
    this.#show({ total });
  }
}

/** The whole description of one Thing. Throws Problem. */
export async function readThing(id) {
  await originKnown;
  return readJson(`/things/${encodeURIComponent(id)}`, { headers: { Accept: "application/td+json" } });
}
