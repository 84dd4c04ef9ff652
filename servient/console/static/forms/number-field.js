// A number, whole or not.
import { html } from "../libraries/preact.js";

export function NumberField({ id, schema, value, onChange, isRequired, wordsId }) {
  const isWhole = schema.type === "integer";
  const take = (event) => {
    const { target } = event;
    const number = target.value === "" ? undefined : target.valueAsNumber;
    target.setCustomValidity(
      isLossy(number, isWhole) ? "This many digits are lost here: give it as JSON." : "",
    );
    onChange(number);
  };
  return html`<input id=${id} type="number" inputmode=${isWhole && !(schema.minimum < 0) ? "numeric" : "text"}
    value=${value ?? ""} required=${isRequired} aria-describedby=${wordsId}
    min=${schema.minimum} max=${schema.maximum} step=${schema.multipleOf ?? (isWhole ? 1 : "any")}
    onInput=${take} />`;
}

const isLossy = (number, isWhole) => isWhole && Number.isInteger(number) && !Number.isSafeInteger(number);
