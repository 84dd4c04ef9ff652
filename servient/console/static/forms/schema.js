// What a data schema asks for: which control, which first value, which file.

const OBJECT = (value) => value !== null && typeof value === "object" && !Array.isArray(value);

export const isFile = (schema) =>
  schema?.type === "string" &&
  (["base64", "base64url", "base16"].includes(schema.contentEncoding) ||
    ["binary", "byte"].includes(schema.format));

export const mediaTypeOf = (schema) =>
  typeof schema?.contentMediaType === "string" ? schema.contentMediaType : "application/octet-stream";

/** The name of the control: "choice", "switch", "number", "text", "file", "object", "array", "variant", "json". */
export function kindOf(schema) {
  if (!OBJECT(schema)) return "json";
  if ("const" in schema || Array.isArray(schema.enum)) return "choice";
  if (variantsOf(schema)) return "variant";
  if (isFile(schema)) return "file";
  switch (schema.type) {
    case "boolean":
      return "switch";
    case "integer":
    case "number":
      return "number";
    case "string":
      return "text";
    case "object":
      return OBJECT(schema.properties) && Object.keys(schema.properties).length ? "object" : "json";
    case "array":
      return OBJECT(schema.items) || Array.isArray(schema.items) ? "array" : "json";
    default:
      return "json";
  }
}

export function variantsOf(schema) {
  const variants = schema.oneOf ?? schema.anyOf;
  return Array.isArray(variants) && variants.length ? variants : null;
}

export const choicesOf = (schema) => ("const" in schema ? [schema.const] : schema.enum);

/** What a control starts with; undefined is left out of the input. */
export function firstValue(schema, isRequired = true) {
  if (!OBJECT(schema)) return undefined;
  if ("default" in schema) return structuredClone(schema.default);
  if ("const" in schema) return schema.const;
  if (!isRequired) return undefined;
  switch (kindOf(schema)) {
    case "switch":
      return false;
    case "text":
      return "";
    case "object":
      return firstMembers(schema);
    case "array":
      return firstItems(schema);
    case "variant":
      return firstValue(variantsOf(schema)[0]);
    default:
      return undefined;
  }
}

function firstMembers(schema) {
  const required = requiredOf(schema);
  const members = Object.entries(schema.properties).map(([name, each]) => [
    name,
    firstValue(each, required.has(name)),
  ]);
  return Object.fromEntries(members.filter(([, value]) => value !== undefined));
}

function firstItems(schema) {
  if (Array.isArray(schema.items)) return schema.items.map((each) => firstValue(each) ?? null);
  return Array.from({ length: Math.min(schema.minItems ?? 0, 100) }, () => firstValue(schema.items) ?? null);
}

export const requiredOf = (schema) => new Set(Array.isArray(schema.required) ? schema.required : []);

/** Whether it is alone or among the members: others go as base64 in JSON. */
export function hasFiles(schema) {
  return isFile(schema) || Object.values(OBJECT(schema?.properties) ? schema.properties : {}).some(isFile);
}

/** In words, beside a label. */
export function toHint(schema) {
  if (!OBJECT(schema)) return "";
  const words = [isFile(schema) ? mediaTypeOf(schema) : (schema.format ?? schema.type)];
  if (Number.isFinite(schema.minimum) && Number.isFinite(schema.maximum)) words.push(toRange(schema));
  else if (Number.isFinite(schema.minimum)) words.push(`at least ${schema.minimum}`);
  else if (Number.isFinite(schema.maximum)) words.push(`at most ${schema.maximum}`);
  if (typeof schema.unit === "string") words.push(schema.unit);
  return words.filter((word) => typeof word === "string").join(", ");
}

/** The limits of whole types say nothing that a reader wants to know. */
function toRange({ minimum, maximum }) {
  return maximum - minimum > 1e6 ? null : `${minimum} to ${maximum}`;
}
