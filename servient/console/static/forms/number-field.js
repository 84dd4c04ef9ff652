// A number, whole or not.
import { html } from "../libraries/preact.js";

export function NumberField({ id, schema, value, onChange, isRequired, wordsId }) {
  const isWhole = schema.type === "integer";
  const take = (event) => {
    const { target } = event;
    const number = target.value === "" ? undefined : toNumber(target);
    const isLost = typeof number === "bigint" && !JSON.rawJSON;
    target.setCustomValidity(isLost ? "This browser loses digits of it: give it as JSON." : "");
    onChange(number);
  };
  return html`<input id=${id} type="number" inputmode=${isWhole && !(schema.minimum < 0) ? "numeric" : "text"}
    value=${value ?? ""} required=${isRequired} aria-describedby=${wordsId}
    min=${schema.minimum} max=${schema.maximum} step=${schema.multipleOf ?? (isWhole ? 1 : "any")}
    onInput=${take} />`;
}

/** Whole numbers keep all of their digits. */
function toNumber({ value, valueAsNumber }) {
  const isLarge = Number.isInteger(valueAsNumber) && !Number.isSafeInteger(valueAsNumber);
  return isLarge && /^-?\d+$/.test(value) ? BigInt(value) : valueAsNumber;
}
