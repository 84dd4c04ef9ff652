// The invocations of one Thing's actions that the servient remembers.
import { html, useMemo } from "../libraries/preact.js";
import { readJson } from "../core/http.js";
import { ownForm } from "../things/description.js";
import { HistoryList } from "./history.js";

export function ThingInvocations({ td }) {
  const read = useMemo(() => {
    const form = ownForm(td, "queryallactions", undefined);
    return async () => {
      const byAction = await readJson(form.href);
      const all = Object.entries(byAction).flatMap(([action, found]) =>
        found.map((each) => ({ ...each, action })),
      );
      return all.sort((one, other) => Date.parse(one.timeRequested) - Date.parse(other.timeRequested));
    };
  }, [td]);
  return html`<${HistoryList} key=${td.id} read=${read} toHref=${(status) => status.href} findTd=${() => td} />`;
}
