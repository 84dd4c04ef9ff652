// Compiles data schemas as node-wot does: `node compile.mjs FILE`, the FILE an object of schemas by names.
//
// Prints one line for each that AJV refuses or warns of, such as a format that it does not know, and
// exits with 1 if there is any.
import { readFile } from "node:fs/promises";
import Ajv from "ajv";
import addFormats from "ajv-formats";

const schemas = JSON.parse(await readFile(process.argv[2], "utf8"));
const faults = [];
for (const [name, schema] of Object.entries(schemas)) {
  const fault = (text) => faults.push(`${name}: ${text}`);
  const ajv = new Ajv({
    strict: false,
    addUsedSchema: false,
    logger: { log: fault, warn: fault, error: fault },
  });
  addFormats(ajv);
  try {
    ajv.compile(schema);
  } catch (error) {
    fault(error.message);
  }
}
for (const fault of faults) console.log(fault);
process.exit(faults.length ? 1 : 0);
