// JSON in which whole numbers keep all of their digits: beyond 2^53 they are BigInts.
const MAY_BE_LARGE = /\d{16}/;
const WHOLE = /^-?\d+$/;

/** Throws SyntaxError. */
export const parseJson = (text) => (MAY_BE_LARGE.test(text) ? JSON.parse(text, keep) : JSON.parse(text));

/** Browsers that do not say how a number was written leave it as it is. */
function keep(_, value, context) {
  if (typeof value !== "number" || Number.isSafeInteger(value) || !WHOLE.test(context?.source ?? ""))
    return value;
  return BigInt(context.source);
}

/** `replace` is asked for what to write in the place of a value. */
export const toJson = (value, indent, replace = (each) => each) =>
  JSON.stringify(value, (_, each) => (typeof each === "bigint" ? toRaw(each) : replace(each)), indent);

const toRaw = (number) => (JSON.rawJSON ? JSON.rawJSON(String(number)) : Number(number));
