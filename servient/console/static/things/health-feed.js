// The figures of the machine and of the servient, asked for again and again while they are looked at.
import { request } from "../core/http.js";
import { Problem } from "../core/problem.js";
import { Store } from "../core/store.js";
import { parseMetrics, toFigure } from "../plots/prometheus.js";
import { Series } from "./series.js";

const PAUSE_MS = 2000;

export class HealthFeed {
  state = new Store({ now: null, problem: null, cpu: [], memory: [], down: [], up: [], families: [] });
  #servient;
  #series = new Map();
  #bytes = null;
  #before = { at: 0, families: new Map() };
  #hasMetrics = true;
  #timer = 0;
  #isClosed = false;

  constructor(servient) {
    this.#servient = servient;
    this.#run();
  }

  close() {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  async #run() {
    if (!document.hidden) await this.#look();
    if (!this.#isClosed) this.#timer = setTimeout(() => this.#run(), PAUSE_MS);
  }

  async #look() {
    try {
      const now = await this.#servient.read("health");
      const families = await this.#metrics();
      const at = Date.now();
      this.#add("cpu", at, now.cpuUsage);
      this.#add("memory", at, now.memoryUsage);
      this.#network(at, now.networkUsage ?? {});
      const [cpu, memory, down, up] = ["cpu", "memory", "down", "up"].map((name) => [
        ...this.#of(name).points,
      ]);
      this.state.set({ now, problem: null, cpu, memory, down, up, families });
    } catch (error) {
      this.state.set({ ...this.state.value, problem: Problem.of(error) });
    }
  }

  #of(name) {
    if (!this.#series.has(name)) this.#series.set(name, new Series());
    return this.#series.get(name);
  }

  #add(name, at, value) {
    if (Number.isFinite(value)) this.#of(name).push(at, value);
  }

  /** Bytes since the interfaces began, as bytes per second. */
  #network(at, interfaces) {
    const others = Object.entries(interfaces).filter(([name]) => name !== "lo");
    const sum = (key) => others.reduce((all, [, each]) => all + (each[key] ?? 0), 0);
    const bytes = { at, down: sum("downBytes"), up: sum("upBytes") };
    const seconds = this.#bytes && (at - this.#bytes.at) / 1000;
    if (seconds) {
      this.#add("down", at, (bytes.down - this.#bytes.down) / seconds);
      this.#add("up", at, (bytes.up - this.#bytes.up) / seconds);
    }
    this.#bytes = bytes;
  }

  async #metrics() {
    if (!this.#hasMetrics) return [];
    const families = parseMetrics(await this.#readMetrics());
    const at = Date.now();
    const before = this.#before;
    this.#before = { at, families: new Map(families.map((each) => [each.name, each])) };
    return families.map((family) => {
      const figure = toFigure(family, before.families.get(family.name), (at - before.at) / 1000);
      if (figure.value !== null) this.#add(family.name, at, figure.value);
      return { ...family, unit: figure.unit, points: [...this.#of(family.name).points] };
    });
  }

  async #readMetrics() {
    try {
      return await (await request("/metrics")).text();
    } catch {
      this.#hasMetrics = false; // an older servient, or one that does not say them to everybody
      return "";
    }
  }
}
