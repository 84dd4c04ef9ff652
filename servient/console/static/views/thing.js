// One Thing: its actions, properties, events, invocations and description.
import { html, useEffect, useReducer, useRef, useState } from "../libraries/preact.js";
import { Problem } from "../core/problem.js";
import { route, toHash } from "../core/router.js";
import { useStore } from "../core/store.js";
import { entries, titleOf, wordsOf } from "../things/description.js";
import { readThing } from "../things/directory.js";
import { LiveThing } from "../things/live-thing.js";
import { ActionCard } from "./action.js";
import { Badge } from "./badge.js";
import { DescriptionView } from "./description.js";
import { EventLog } from "./event-log.js";
import { ProblemBox } from "./problem.js";
import { Title } from "./title.js";
import { PropertyTable } from "./property-table.js";
import { ThingInvocations } from "./thing-invocations.js";

const TABS = {
  actions: "Actions",
  properties: "Properties",
  events: "Events",
  invocations: "Invocations",
  description: "Description",
};

export function ThingView({ id, servient }) {
  const [found, setFound] = useState({ live: null, problem: null });
  const names = useRef(new Set([id]));
  const version = useVersion(servient, names.current);
  useEffect(() => {
    let live = null;
    let isWanted = true;
    readThing(id)
      .then((td) => {
        if (!isWanted) return;
        names.current.add(td.id);
        setFound({ live: (live = new LiveThing(td)), problem: null });
      })
      .catch((error) => isWanted && setFound({ live: null, problem: Problem.of(error) }));
    return () => {
      isWanted = false;
      live?.close();
    };
  }, [id, version]);
  if (found.live) return html`<${Thing} live=${found.live} id=${id} />`;
  return html`<p class="back"><a href=${toHash("things")}>Things</a></p><${Title} text=${toFault(found.problem)} />
    <${ProblemBox} problem=${found.problem} />`;
}

/** A number that changes when the Thing of these names has, or may have. */
function useVersion(servient, names) {
  const [version, refresh] = useReducer((count) => count + 1, 0);
  useEffect(() => {
    const ends = [
      servient.heard.listen(({ data }) => names.has(data?.id) && refresh()),
      servient.returns.listen(refresh),
    ];
    return () => ends.forEach((end) => end());
  }, [servient]);
  return version;
}

const toFault = (problem) => (problem?.status === 404 ? "No such Thing" : (problem?.title ?? "…"));

function Thing({ live, id }) {
  const { td } = live;
  const { query } = useStore(route);
  const offered = Object.keys(TABS).filter((tab) => count(td, tab) !== 0);
  const tab = offered.includes(query.tab) ? query.tab : offered[0];
  return html`<p class="back"><a href=${toHash("things")}>Things</a></p>
    <${Title} text=${titleOf(td, id)}><${LiveBadge} live=${live} /></${Title}>
    ${wordsOf(td) && html`<p class="words lead">${wordsOf(td)}</p>`}
    <nav class="row tabs sections" aria-label="Parts of the Thing">${offered.map(
      (
        each,
      ) => html`<a class="tab" href=${`${toHash("thing", id)}?tab=${each}`} aria-current=${each === tab ? "page" : undefined}>
        ${TABS[each]} ${typeof count(td, each) === "number" && html`<span class="count">${count(td, each)}</span>`}</a>`,
    )}</nav>
    <section aria-label=${TABS[tab]}><${Part} tab=${tab} live=${live} /></section>`;
}

/** Only trouble is worth a word: the bar says that the page is live. */
function LiveBadge({ live }) {
  const state = useStore(live.state);
  return ["waiting", "closed"].includes(state) && html`<${Badge} status=${state} label="not live" />`;
}

/** How many there are; null for what is not counted. */
function count(td, tab) {
  if (tab === "description") return null;
  const number = entries(td, tab === "invocations" ? "actions" : tab).length;
  return tab === "invocations" && number ? null : number;
}

function Part({ tab, live }) {
  switch (tab) {
    case "actions":
      return entries(live.td, "actions").map(
        ([name, action]) => html`<${ActionCard} key=${name} td=${live.td} name=${name} action=${action} />`,
      );
    case "properties":
      return html`<${PropertyTable} key=${live.number} live=${live} />`;
    case "events":
      return html`<${EventLog} live=${live} />`;
    case "invocations":
      return html`<${ThingInvocations} td=${live.td} />`;
    default:
      return html`<${DescriptionView} td=${live.td} />`;
  }
}
