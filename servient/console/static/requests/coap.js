// The request as commands of aiocoap and of libcoap.
import { isFile } from "../forms/schema.js";
import { formsFor } from "../things/description.js";
import { nameOf } from "./curl.js";
import { quote, toInline } from "./shell.js";

// The numbers of content formats (RFC 7252 section 12.3).
const FORMATS = {
  "application/json": 50,
  "application/octet-stream": 42,
  "application/cbor": 60,
  "text/plain": 0,
};

export function toCoap({ action, value }) {
  const file = fileOf(action, value);
  const type = file ? "application/octet-stream" : "application/json";
  const form = formsFor(action, "invokeaction", ["coap", "coaps"]).find((each) => each.contentType === type);
  if (!form) return null;
  const note = form.security ? ["# Needs an OSCORE context: aiocoap-client --credentials FILE"] : [];
  return [
    ...note,
    toAiocoap(form, type, value, file),
    "# or, with libcoap",
    toLibcoap(form, type, value, file),
  ].join("\n");
}

function toAiocoap(form, type, value, file) {
  const payload = file ? `@${nameOf(file)}` : toInline(value);
  const body = value === undefined ? "" : ` --content-format ${type} --payload ${quote(payload)}`;
  return `aiocoap-client -m POST${body} ${quote(form.href)}`;
}

function toLibcoap(form, type, value, file) {
  const payload = file ? `-f ${quote(nameOf(file))}` : `-e ${quote(toInline(value) ?? "")}`;
  const body = value === undefined ? "" : ` -t ${FORMATS[type]} ${payload}`;
  return `coap-client -m post${body} ${quote(form.href)}`;
}

/** The one file that is all of the input. */
function fileOf(action, value) {
  if (isFile(action.input)) return value ?? new Blob();
  const members = Object.entries(action.input?.properties ?? {});
  const [first] = members;
  return members.length === 1 && isFile(first[1]) ? (value?.[first[0]] ?? new File([], first[0])) : null;
}
