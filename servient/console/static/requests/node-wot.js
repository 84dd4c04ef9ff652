// The request as a program with node-wot.
import { toOwnUrl } from "../core/origin.js";
import { credentials } from "../core/session.js";
import { toInline } from "./shell.js";

export function toNodeWot({ td, name, value }) {
  const input = value === undefined ? "" : `, ${toInline(value)}`;
  const id = JSON.stringify(td.id ?? td.title);
  const secret = credentials.value
    ? `\nservient.addCredentials({ [${id}]: { token: process.env.TOKEN } });`
    : "";
  return `import core from "@node-wot/core";
import http from "@node-wot/binding-http";

const servient = new core.Servient();
servient.addClientFactory(new http.HttpClientFactory());${secret}
const wot = await servient.start();
const td = await wot.requestThingDescription(${JSON.stringify(tdUrl(td))});
const thing = await wot.consume(td);
const output = await thing.invokeAction(${JSON.stringify(name)}${input});
console.log(await output?.value());`;
}

export const tdUrl = (td) => toOwnUrl(`/things/${encodeURIComponent(td.id ?? td.title)}`);
