// A list of invocations, each with more to see of it.
import { html, useEffect, useState } from "../libraries/preact.js";
import { useStore } from "../core/store.js";
import { History } from "../things/history.js";
import { HistoryItem } from "./history-item.js";
import { ProblemBox } from "./problem.js";

const SHOWN = 50;

/** `read` gives statuses, oldest first; `toHref` where one can be asked for; `findTd` the Thing of one. */
export function HistoryList({ read, toHref, findTd }) {
  const [history] = useState(() => new History(read));
  const { statuses, problem } = useStore(history.list);
  const [limit, setLimit] = useState(SHOWN);
  useEffect(() => () => history.close(), []);
  return html`<${ProblemBox} problem=${problem} />
    ${statuses?.length === 0 && html`<p class="words">Nothing has been invoked yet.</p>`}
    ${
      statuses?.length > 0 &&
      html`<ul class="history card" aria-label="Invocations">${statuses.slice(0, limit).map(
        (
          status,
        ) => html`<${HistoryItem} key=${status.id ?? status.href} status=${status} toHref=${toHref} findTd=${findTd}
        onChange=${() => history.refresh()} />`,
      )}</ul>`
    }
    ${statuses?.length > limit && html`<p class="more"><button type="button" onClick=${() => setLimit(limit + SHOWN)}>Show more</button></p>`}`;
}
