// All invocations that the servient remembers.
import { html, useMemo } from "../libraries/preact.js";
import { affordance, ownForm } from "../things/description.js";
import { readThing } from "../things/directory.js";
import { HistoryList } from "./history.js";
import { Title } from "./title.js";

export function InvocationsView({ servient }) {
  const things = useMemo(() => new Map(), []);
  const read = useMemo(() => () => servient.read("invocations"), [servient]);
  const findTd = (status) => {
    if (!things.has(status.thing)) things.set(status.thing, readThing(status.thing));
    return things.get(status.thing);
  };
  const toHref = async (status) => {
    const td = await findTd(status);
    const form = ownForm(affordance(td, "actions", status.action), "invokeaction", undefined);
    return `${form.href}/${encodeURIComponent(status.id.split(":").at(-1))}`;
  };
  return html`<${Title} text="Invocations" />
    <${HistoryList} read=${read} toHref=${toHref} findTd=${findTd} />`;
}
