// Reading a Thing Description: its affordances, and the forms by which they are reached.
import { isOwn } from "../core/origin.js";

export const KINDS = ["actions", "properties", "events"];

/** [[name, definition]]; what is no definition is one that says nothing. */
export const entries = (td, kind) =>
  Object.entries(members(td?.[kind])).map(([name, definition]) => [name, members(definition)]);

/** One affordance; what is not there has no forms. */
export const affordance = (td, kind, name) =>
  Object.hasOwn(members(td?.[kind]), name) ? members(td[kind][name]) : {};

const members = (value) => (value && typeof value === "object" && !Array.isArray(value) ? value : {});

/** A title as it can be shown, whatever stands there. */
export const titleOf = (definition, name) =>
  typeof definition?.title === "string" && definition.title.trim() ? definition.title : name;

export const wordsOf = (definition) =>
  typeof definition?.description === "string" ? definition.description : "";

function operationsOf(form) {
  const op = form?.op ?? [];
  return Array.isArray(op) ? op : [op];
}

/** The forms for an operation, over URLs of these schemes. */
export function formsFor(definition, operation, schemes) {
  const forms = Array.isArray(definition?.forms) ? definition.forms : [];
  return forms.filter(
    (form) =>
      typeof form?.href === "string" &&
      operationsOf(form).includes(operation) &&
      schemes.some((scheme) => form.href.startsWith(`${scheme}:`)),
  );
}

/** The form over HTTP that this page can use, or undefined: of this servient, and of that subprotocol. */
export function ownForm(definition, operation, subprotocol, contentType) {
  return formsFor(definition, operation, ["http", "https"]).find(
    (form) =>
      form.subprotocol === subprotocol &&
      isOwn(form.href) &&
      (!contentType || form.contentType === contentType),
  );
}

/** What a list shows of a Thing and searches in it: everything else of its description is let go of. */
export function summarize(td) {
  const id = td.id ?? td.title;
  const title = titleOf(td, id);
  const description = wordsOf(td);
  const names = Object.fromEntries(KINDS.map((kind) => [kind, Object.keys(members(td[kind]))]));
  const text = [title, id, description, ...Object.values(names).flat()].join("\n").toLowerCase();
  return { id, title, description, names, text };
}

/** Whether it has all of these words in it, which are in lower case. */
export const matches = (summary, words) => words.every((word) => summary.text.includes(word));
