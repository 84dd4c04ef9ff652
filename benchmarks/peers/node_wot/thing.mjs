// A Thing of node-wot whose action calls the module by Node's own WebAssembly.
// node thing.mjs MODULE HTTP_PORT COAP_PORT BROKER
import { readFile } from "node:fs/promises";
import coap from "@node-wot/binding-coap";
import http from "@node-wot/binding-http";
import mqtt from "@node-wot/binding-mqtt";
import core from "@node-wot/core";

const [module, httpPort, coapPort, broker] = process.argv.slice(2);
const { instance } = await WebAssembly.instantiate(await readFile(module));

const servient = new core.Servient();
servient.addServer(new http.HttpServer({ port: Number(httpPort), address: "127.0.0.1" }));
// Without an address it asks for those of all interfaces, and aborts where there is only loopback.
servient.addServer(new coap.CoapServer({ port: Number(coapPort), address: "127.0.0.1" }));
servient.addServer(new mqtt.MqttBrokerServer({ uri: broker }));

const number = { type: "integer" };
const wot = await servient.start();
const thing = await wot.produce({
  title: "nodefibonacci",
  securityDefinitions: { nosec: { scheme: "nosec" } },
  security: "nosec",
  properties: { fibo_result: { ...number, readOnly: true, observable: true } },
  actions: {
    fibo: {
      input: { type: "object", properties: { iterations: number }, required: ["iterations"] },
      output: number,
    },
    // Over MQTT an output has no way back there: who invokes this one listens to the event.
    fibo_told: {
      input: { type: "object", properties: { iterations: number }, required: ["iterations"] },
    },
  },
  events: { fibo_completed: { data: number } },
});

let result = 21;

async function call(input) {
  const { iterations } = await input.value();
  result = Number(instance.exports.fibo(BigInt(iterations)));
  thing.emitPropertyChange("fibo_result");
  return result;
}

thing.setPropertyReadHandler("fibo_result", async () => result);
thing.setActionHandler("fibo", call);
thing.setActionHandler("fibo_told", async (input) => {
  thing.emitEvent("fibo_completed", await call(input));
});
await thing.expose();
console.log("ready");
