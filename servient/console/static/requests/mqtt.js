// The request as a command of mosquitto's clients.
import { credentials } from "../core/session.js";
import { isFile, mediaTypeOf } from "../forms/schema.js";
import { formsFor } from "../things/description.js";
import { nameOf } from "./curl.js";
import { quote, toInline } from "./shell.js";

export function toMqtt({ action, value }) {
  const forms = formsFor(action, "invokeaction", ["mqtt", "mqtts"]);
  const form = forms.find((each) => each.contentType === "application/json");
  if (!form) return null;
  const { hostname, port, pathname } = new URL(form.href.replace(/^mqtts?/, "http"));
  const topic =
    typeof form["mqv:topic"] === "string" ? form["mqv:topic"] : decodeURIComponent(pathname.slice(1));
  const words = ["mosquitto_rr -V 5", `-h ${quote(hostname)} -p ${port || 1883}`];
  if (credentials.value) words.push(`-u "$NAME" -P "$TOKEN"`);
  words.push(
    `-t ${quote(topic)}`,
    credentials.value ? `-e "answers/$NAME/me"` : "-e answers/me",
    bodyOf(action, value),
  );
  return words.join(" ");
}

function bodyOf({ input }, value) {
  if (value === undefined) return "-n";
  if (isFile(input)) return `-D PUBLISH content-type ${quote(mediaTypeOf(input))} -f ${quote(nameOf(value))}`;
  const only = Object.values(input?.properties ?? {});
  const [file] = value && typeof value === "object" ? Object.values(value) : [];
  if (only.length === 1 && isFile(only[0])) {
    return `-D PUBLISH content-type ${quote(mediaTypeOf(only[0]))} -f ${quote(nameOf(file))}`;
  }
  return `-D PUBLISH content-type application/json -m ${quote(toInline(value))}`;
}
