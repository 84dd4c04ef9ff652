// A Thing that is looked at: its properties and events as they come, in one stream for each kind.
import { parseJson } from "../core/json.js";
import { EventStream } from "../core/event-stream.js";
import { readJson, request } from "../core/http.js";
import { Problem } from "../core/problem.js";
import { Store } from "../core/store.js";
import { affordance, entries, ownForm } from "./description.js";
import { Series } from "./series.js";

// Values may come faster than anybody can read them: what is drawn is the newest, so often.
const DRAW_MS = 200;
const EVENTS_LIMIT = 200;

let count = 0;

export class LiveThing {
  td;
  number = (count += 1);
  events = new Store([]);
  state = new Store("connecting");
  #properties = new Map();
  #streams = [];
  #heard = [];
  #dirty = new Set();
  #timer = 0;
  #count = 0;

  constructor(td) {
    this.td = td;
    for (const [name] of entries(td, "properties")) this.#properties.set(name, new LiveProperty());
    this.#listen("observeallproperties", (name, data) => this.#take(name, data));
    this.#listen("subscribeallevents", (name, data) => this.#hear(name, data));
  }

  #listen(operation, take) {
    const form = ownForm(this.td, operation, "sse");
    if (!form) return;
    const stream = new EventStream(form.href, take);
    stream.state.listen((state) => this.state.set(state));
    this.#streams.push(stream);
  }

  property(name) {
    return this.#properties.get(name);
  }

  #take(name, text) {
    const property = this.#properties.get(name);
    if (!property) return;
    property.publish(parseJson(text));
    this.#dirty.add(property);
    this.#drawSoon();
  }

  #hear(name, text) {
    this.#count += 1;
    this.#heard.push({
      number: this.#count,
      name,
      at: Date.now(),
      data: text === "" ? undefined : parseJson(text),
    });
    if (this.#heard.length > EVENTS_LIMIT) this.#heard.splice(0, this.#heard.length - EVENTS_LIMIT);
    this.#drawSoon();
  }

  #drawSoon() {
    if (this.#timer === 0) this.#timer = setTimeout(() => requestAnimationFrame(this.#draw), DRAW_MS);
  }

  #draw = () => {
    this.#timer = 0;
    for (const property of this.#dirty) property.tell();
    this.#dirty.clear();
    if (this.#heard.length && this.#heard.at(-1) !== this.events.value.at(-1))
      this.events.set([...this.#heard]);
  };

  clearEvents() {
    this.#heard = [];
    this.events.set([]);
  }

  /** Its value as it is now; it comes with the changes from then on. */
  async read(name) {
    const property = this.property(name);
    const form = ownForm(
      affordance(this.td, "properties", name),
      "readproperty",
      undefined,
      "application/json",
    );
    if (!form) return;
    const known = property.count;
    try {
      const value = await readJson(form.href);
      if (property.count === known) property.publish(value); // else something newer has come
    } catch (error) {
      property.problem = Problem.of(error);
    }
    property.tell();
  }

  /** Throws Problem. */
  async write(name, body) {
    const form = ownForm(
      affordance(this.td, "properties", name),
      "writeproperty",
      undefined,
      "application/json",
    );
    await request(form.href, { method: "PUT", body, headers: { "Content-Type": "application/json" } });
  }

  close() {
    this.#streams.forEach((stream) => stream.close());
    clearTimeout(this.#timer);
  }
}

/** What is known of a property. */
class LiveProperty {
  value = undefined;
  at = null;
  problem = null;
  count = 0;
  series = new Series();
  #listener = () => {};

  publish(value) {
    this.value = value;
    this.at = Date.now();
    this.problem = null;
    this.count += 1;
    if (["number", "bigint"].includes(typeof value)) this.series.push(this.at, Number(value));
  }

  tell() {
    this.#listener();
  }

  /** One row shows it. */
  listen(listener) {
    this.#listener = listener;
    return () => (this.#listener = () => {});
  }
}
