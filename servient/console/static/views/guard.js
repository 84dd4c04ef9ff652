// What a view throws is shown in its place: the rest of the page goes on.
import { html, useErrorBoundary } from "../libraries/preact.js";
import { Problem } from "../core/problem.js";
import { ProblemBox } from "./problem.js";
import { Title } from "./title.js";

export function Guard({ children }) {
  const [error] = useErrorBoundary((fault) => console.error(fault));
  if (!error) return children;
  return html`<${Title} text="This cannot be shown" /><${ProblemBox} problem=${Problem.of(error)} />`;
}
