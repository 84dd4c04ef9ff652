// Expands JSON-LD without a network: `node expand.mjs FILE`, the FILE {documents, contexts: {URL: document}}.
//
// Prints the array of expanded documents. Fails for a context that is not given, and for a document of
// which something would be lost.
import { readFile } from "node:fs/promises";
import jsonld from "jsonld";

const { documents, contexts } = JSON.parse(await readFile(process.argv[2], "utf8"));

async function documentLoader(url) {
  if (!(url in contexts)) throw new Error(`no context is given for ${url}`);
  return { contextUrl: null, documentUrl: url, document: contexts[url] };
}

const expanded = [];
for (const document of documents) {
  expanded.push(await jsonld.expand(document, { documentLoader, safe: true }));
}
console.log(JSON.stringify(expanded));
