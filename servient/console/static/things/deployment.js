// What files that were dropped mean: a manifest for the servient, with what is in them.
import { parseJson } from "../core/json.js";
import { Problem } from "../core/problem.js";

export const MANIFEST_LIMIT_BYTES = 12 * 1024 * 1024;

/** "module", "manifest" or "description", by what is in it. Throws Problem. */
export async function readDropped(file) {
  const head = new Uint8Array(await file.slice(0, 4).arrayBuffer());
  if (String.fromCharCode(...head) === "\0asm") return { kind: "module", file };
  const document = await parse(file);
  if (document?.modules || document?.fullManifest) return { kind: "manifest", file, document };
  if (document?.openapi || document?.swagger) return { kind: "description", file, document };
  throw new Problem({
    title: "Not recognised",
    detail: `${file.name} is no module, manifest or OpenAPI description.`,
  });
}

async function parse(file) {
  try {
    return parseJson(await file.text());
  } catch {
    return null;
  }
}

/** A name that the servient takes, made of a file's. */
export function toName(fileName) {
  const stem = fileName.replace(/\.[^.]*$/, "").normalize("NFKD");
  return (
    stem
      .replace(/[^A-Za-z0-9._-]+/g, "-")
      .replace(/^[^A-Za-z0-9_]+/, "")
      .slice(0, 100) || "module"
  );
}

/** The manifest of modules on this machine, as the servient takes it. */
export async function toManifest(deploymentId, parts, options = {}) {
  const manifests = parts.filter((part) => part.kind === "manifest");
  const modules = parts.filter((part) => part.kind === "module");
  const descriptions = parts.filter((part) => part.kind === "description");
  if (manifests.length) return withFiles(manifests[0].document, deploymentId, modules, descriptions);
  const described =
    modules.length === 1 ? () => descriptions[0] : (module) => named(descriptions, module.file.name);
  return {
    deploymentId,
    modules: await Promise.all(modules.map((module) => toModule(module, described(module), options))),
  };
}

async function toModule(part, description, options) {
  const urls = { binary: await toDataUrl(part.file, "application/wasm") };
  if (description) urls.description = await toDataUrl(description.file, "application/json");
  return { name: toName(part.file.name), urls, ...options };
}

/** The manifest as it is, but what was dropped with it takes the place of what it names. */
async function withFiles(manifest, deploymentId, modules, descriptions) {
  const changed = structuredClone(manifest);
  if (deploymentId && changed.deploymentId !== undefined) changed.deploymentId = deploymentId;
  const wanted = Array.isArray(changed.modules) ? changed.modules : [];
  for (const module of wanted) {
    const binary = wanted.length === 1 ? modules[0] : named(modules, baseOf(module.urls?.binary));
    const text =
      wanted.length === 1 ? descriptions[0] : named(descriptions, baseOf(module.urls?.description));
    if (binary) module.urls = { ...module.urls, binary: await toDataUrl(binary.file, "application/wasm") };
    if (text) module.urls = { ...module.urls, description: await toDataUrl(text.file, "application/json") };
  }
  return changed;
}

const baseOf = (url) =>
  String(url ?? "")
    .split(/[?#]/)[0]
    .split("/")
    .pop();

const named = (parts, fileName) => parts.find((part) => toName(part.file.name) === toName(fileName));

function toDataUrl(file, mediaType) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.onerror = () => reject(new Problem({ title: "Not read", detail: `${file.name} cannot be read.` }));
    reader.readAsDataURL(new Blob([file], { type: mediaType }));
  });
}
