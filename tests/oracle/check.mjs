// Judges Thing Descriptions: `node check.mjs [--models] FILE…`, each FILE a JSON array of documents.
//
// Prints one line for each failed check or assertion and exits with 1 if there is any, with 2 when
// it could not judge. Works without a network: JSON-LD contexts are not resolved.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename } from "node:path";

const require = createRequire(import.meta.url);
const core = require("@thing-description-playground/core");
const assertions = require("@thing-description-playground/assertions");

// The assertions look for the schemas in a folder of their own, where npm does not put them.
function load(path) {
  const schema = /core[/\\](t[dm]-schema\.json)$/.exec(path);
  return readFile(schema ? require.resolve(`@thing-description-playground/core/${schema[1]}`) : path);
}

async function checkWithCore(document, isModel) {
  const said = [];
  const log = (text) => said.push(String(text));
  const options = { checkDefaults: false, checkJsonLd: false, checkTmConformance: false };
  const validate = isModel ? core.tmValidator : core.tdValidator;
  const { report, details } = await validate(JSON.stringify(document), log, options);
  const failed = Object.entries({ ...report, ...details })
    .filter(([, outcome]) => outcome === "failed")
    .map(([check]) => `check ${check}`);
  return failed.map((check) => `${check}: ${said.join(" ")}`);
}

async function checkAssertions(documents, isModel) {
  const judge = isModel ? assertions.tmAssertions : assertions.tdAssertions;
  const texts = documents.map((document) => JSON.stringify(document));
  const answer = await judge(texts, load, () => {}, []);
  const reports = answer.jsonResults ?? { "": answer };
  const faults = [];
  for (const [name, report] of Object.entries(reports)) {
    for (const { ID, Status, Comment } of await report) {
      if (Status === "fail") faults.push(`${name} assertion ${ID}: ${Comment ?? "failed"}`);
    }
  }
  return faults;
}

async function checkFile(path, isModel) {
  const documents = JSON.parse(await readFile(path, "utf8"));
  // Reports are kept by id.
  const distinct = documents.map((document, i) => ({ ...document, id: `urn:oracle:${i}` }));
  const faults = [];
  for (const [i, document] of documents.entries()) {
    const found = await checkWithCore(document, isModel);
    faults.push(...found.map((fault) => `document ${i} ${fault}`));
  }
  if (!faults.length) faults.push(...(await checkAssertions(distinct, isModel)));
  return faults.map((fault) => `${basename(path)} ${fault}`);
}

process.on("unhandledRejection", (reason) => {
  console.log(String(reason));
  process.exit(2);
});

const isModel = process.argv[2] === "--models";
const faults = [];
for (const path of process.argv.slice(isModel ? 3 : 2)) faults.push(...(await checkFile(path, isModel)));
for (const fault of faults) console.log(fault);
process.exit(faults.length ? 1 : 0);
