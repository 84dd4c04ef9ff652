// Writing a property.
import { html, useState } from "../libraries/preact.js";
import { toJson } from "../core/json.js";
import { Problem } from "../core/problem.js";
import { Field } from "../forms/field.js";
import { toBase64 } from "../forms/body.js";
import { firstValue } from "../forms/schema.js";
import { ProblemBox } from "./problem.js";

export function PropertyForm({ live, name, schema, onDone }) {
  const [value, setValue] = useState(() => live.property(name).value ?? firstValue(schema));
  const [problem, setProblem] = useState(null);

  async function write(event) {
    event.preventDefault();
    try {
      const sent = value instanceof Blob ? await toBase64(value) : value;
      await live.write(name, toJson(sent ?? null));
      await live.read(name);
      onDone();
    } catch (error) {
      setProblem(Problem.of(error));
    }
  }
  return html`<form onSubmit=${write} aria-label=${`Write ${name}`}>
    <${Field} name="Value" schema=${{ ...schema, title: undefined, description: undefined }} value=${value}
      onChange=${setValue} isRequired=${true} />
    <${ProblemBox} problem=${problem} />
    <div class="row"><button type="submit" class="primary small">Write</button></div>
  </form>`;
}
