// The servient's own Thing: what is deployed, how it is, and which Things come and go.
import { parseJson } from "../core/json.js";
import { EventStream } from "../core/event-stream.js";
import { readJson } from "../core/http.js";
import { setServientOrigin } from "../core/origin.js";
import { Store } from "../core/store.js";
import { formsFor, ownForm } from "./description.js";

export class ServientThing {
  td = new Store(null);
  /** Messages of its events, as {name, data}. */
  heard = new Store(null);
  deployments = new Store(null);
  state = new Store("connecting");
  /** How often it was heard again after a silence, in which anything may have changed. */
  returns = new Store(0);
  #streams = [];

  async open() {
    const td = await readJson("/.well-known/wot", { headers: { Accept: "application/td+json" } });
    const [form] = formsFor(td.properties?.deployments, "readproperty", ["http", "https"]);
    setServientOrigin(form ? new URL(form.href).origin : location.origin);
    this.td.set(td);
  }

  /** Follow it, from the start or as somebody else. */
  async follow() {
    this.#streams.forEach((stream) => stream.close());
    this.#streams = [];
    if (this.td.value === null) await this.open();
    const td = this.td.value;
    this.#listen(ownForm(td, "subscribeallevents", "sse"), (name, data) => this.heard.set({ name, data }));
    const observe = ownForm(td.properties?.deployments, "observeproperty", "sse");
    this.#listen(observe, (_, data) => this.deployments.set(data));
  }

  #listen(form, take) {
    if (!form) return;
    const stream = new EventStream(form.href, (name, text) => take(name, parseJson(text)));
    let wasOpen = false;
    stream.state.listen((state) => {
      this.state.set(state);
      if (state === "open" && wasOpen) this.returns.set(this.returns.value + 1);
      wasOpen ||= state === "open";
    });
    this.#streams.push(stream);
  }

  async refreshDeployments() {
    this.deployments.set(await this.read("deployments"));
  }

  async read(name) {
    if (this.td.value === null) await this.open();
    return readJson(this.form(name).href);
  }

  form(name) {
    return ownForm(this.td.value?.properties?.[name], "readproperty", undefined, "application/json");
  }

  action(name) {
    return this.td.value?.actions?.[name];
  }
}
