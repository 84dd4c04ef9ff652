// A consumer: node-wot with the client of one protocol alone, told what to do.
//
// Reads from standard input one JSON object {scheme, tasks: [{td | url, steps}], deadlineSeconds}, each
// task for one Thing; writes one line of JSON per step, {"ok": value} or {"error": message, "body": what
// came instead}, and ends by itself.
//
// Steps: {do: "read"|"write"|"invoke"|"observe"|"subscribe"|"values"|"stop"|"explore", name, value,
// count, form, as}. `observe` and `subscribe` are done once they are active; `values` waits for `count`
// values of one of them; `explore` gives the titles of the Things in the directory at the URL `name`;
// `form` is the index of the form to use; as: "bytes" gives a body in base64.
import { createRequire } from "node:module";
import { text } from "node:stream/consumers";

const require = createRequire(import.meta.url);

const CLIENTS = {
  http: ["@node-wot/binding-http", "HttpClientFactory"],
  coap: ["@node-wot/binding-coap", "CoapClientFactory"],
  mqtt: ["@node-wot/binding-mqtt", "MqttClientFactory"],
};

// A binding has to run with the core that it brings: releases cannot be mixed.
function load(scheme) {
  const [name, factory] = CLIENTS[scheme];
  const binding = createRequire(require.resolve(name));
  const { Servient } = binding("@node-wot/core");
  const servient = new Servient();
  servient.addClientFactory(new (binding(name)[factory])());
  return servient;
}

class Failure extends Error {
  constructor(message, body) {
    super(message);
    this.body = body;
  }
}

async function unpack(output, as) {
  if (output === undefined) return null;
  if (as === "bytes") return Buffer.from(await output.arrayBuffer()).toString("base64");
  try {
    return (await output.value()) ?? null;
  } catch (error) {
    const body = await output.arrayBuffer().catch(() => "");
    throw new Failure(error.message, Buffer.from(body).toString());
  }
}

// The values of one observation or subscription, in the order in which they came.
class Stream {
  values = [];
  last = Promise.resolve();
  awaited = () => {};

  // Unpacking takes time: a later value has to wait for an earlier one.
  push(unpacking) {
    const unpacked = unpacking.catch((error) => String(error));
    this.last = this.last.then(async () => {
      this.values.push(await unpacked);
      this.awaited();
    });
  }

  take(count) {
    return new Promise((resolve) => {
      this.awaited = () => {
        if (this.values.length < count) return;
        this.awaited = () => {};
        resolve(this.values.splice(0, count));
      };
      this.awaited();
    });
  }
}

class Consumer {
  streams = new Map();

  constructor(wot, thing) {
    this.wot = wot;
    this.thing = thing;
  }

  perform({ do: step, name, value, count, form, as }) {
    const options = form === undefined ? undefined : { formIndex: form };
    switch (step) {
      case "read":
        return this.thing.readProperty(name, options).then((output) => unpack(output, as));
      case "write":
        return this.thing.writeProperty(name, value, options).then(() => null);
      case "invoke":
        return this.thing.invokeAction(name, value, options).then((output) => unpack(output, as));
      case "observe":
        return this.follow("observeProperty", name, options, as);
      case "subscribe":
        return this.follow("subscribeEvent", name, options, as);
      case "values":
        return this.streams.get(name).stream.take(count);
      case "stop":
        return this.streams.get(name).subscription.stop().then(() => null);
      case "explore":
        return this.explore(name);
      default:
        throw new Error(`no step "${step}"`);
    }
  }

  async explore(url) {
    const discovery = await this.wot.exploreDirectory(url);
    const titles = [];
    for await (const td of discovery) titles.push(td.title);
    if (discovery.error) throw discovery.error;
    return titles;
  }

  async follow(method, name, options, as) {
    const stream = new Stream();
    const subscription = await this.thing[method](
      name,
      (output) => stream.push(unpack(output, as)),
      (error) => stream.push(Promise.reject(error)),
      options,
    );
    this.streams.set(name, { stream, subscription });
    return null;
  }
}

function within(seconds, promise) {
  return new Promise((resolve, reject) => {
    setTimeout(() => reject(new Error(`nothing within ${seconds} s`)), seconds * 1000);
    promise.then(resolve, reject);
  });
}

async function answer(promise, seconds) {
  try {
    return { ok: await within(seconds, promise) };
  } catch (error) {
    return { error: error.message ?? String(error), ...(error.body && { body: error.body }) };
  }
}

const { scheme, tasks, deadlineSeconds = 10 } = JSON.parse(await text(process.stdin));
const wot = await load(scheme).start();
for (const { td, url, steps } of tasks) {
  const found = td ?? (await within(deadlineSeconds, wot.requestThingDescription(url)));
  const consumer = new Consumer(wot, await wot.consume(found));
  for (const step of steps) {
    console.log(JSON.stringify(await answer(consumer.perform(step), deadlineSeconds)));
  }
}
process.exit(0);
