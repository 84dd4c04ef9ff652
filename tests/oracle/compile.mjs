// Compiles every data schema of Thing Descriptions with AJV, as consumers in JavaScript do:
// `node compile.mjs FILE…`, each FILE a JSON array of documents.
//
// Prints one line for each schema that AJV refuses or warns about (a format that it does not know,
// say) and exits with 1 if there is any.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const Ajv = require("ajv");
const addFormats = require("ajv-formats");

const MEMBERS = ["input", "output", "subscription", "data", "dataResponse", "cancellation"];

function* dataSchemas(document) {
  for (const kind of ["properties", "actions", "events"]) {
    for (const [name, affordance] of Object.entries(document[kind] ?? {})) {
      if (kind === "properties") yield [`${kind}/${name}`, affordance];
      for (const member of MEMBERS) {
        if (affordance[member]) yield [`${kind}/${name}/${member}`, affordance[member]];
      }
      for (const [variable, schema] of Object.entries(affordance.uriVariables ?? {})) {
        yield [`${kind}/${name}/uriVariables/${variable}`, schema];
      }
    }
  }
  for (const [name, schema] of Object.entries(document.schemaDefinitions ?? {})) {
    yield [`schemaDefinitions/${name}`, schema];
  }
}

function* refusals(document) {
  const said = [];
  const say = (...words) => said.push(words.join(" "));
  // Terms of TD 1.1 beside the keywords of JSON Schema are no mistakes.
  const ajv = addFormats(new Ajv({ strict: false, logger: { log: say, warn: say, error: say } }));
  for (const [place, schema] of dataSchemas(document)) {
    try {
      ajv.compile(schema);
    } catch (error) {
      say(String(error.message));
    }
    for (const fault of said.splice(0)) yield `${place}: ${fault.slice(0, 300)}`;
  }
}

let faults = 0;
for (const path of process.argv.slice(2)) {
  for (const [index, document] of JSON.parse(await readFile(path, "utf8")).entries()) {
    for (const fault of refusals(document)) {
      console.log(`document ${index} (${document.title}) ${fault}`);
      faults += 1;
    }
  }
}
process.exit(faults ? 1 : 0);
