// The list of Things: searched, and loaded as far as it is looked at.
import { html, useEffect, useMemo, useRef, useState } from "../libraries/preact.js";
import { toCount } from "../core/format.js";
import { toHash } from "../core/router.js";
import { askForCredentials } from "../core/session.js";
import { useStore } from "../core/store.js";
import { matches } from "../things/description.js";
import { ProblemBox } from "./problem.js";
import { Title } from "./title.js";

const SHOWN = 40;
const PAUSE_MS = 150;
let kept = "";

export function ThingsView({ directory }) {
  const { things, total, isLoading, problem } = useStore(directory.list);
  const [text, setText] = useState(kept);
  const [limit, setLimit] = useState(SHOWN);
  const words = useMemo(() => text.toLowerCase().split(/\s+/).filter(Boolean), [text]);
  const found = useMemo(
    () => (words.length ? things.filter((each) => matches(each, words)) : things),
    [things, words],
  );

  useEffect(() => {
    kept = text;
    setLimit(SHOWN);
    if (!words.length) return undefined;
    let isWanted = true;
    const timer = setTimeout(() => directory.loadAll(() => isWanted), PAUSE_MS);
    return () => {
      isWanted = false;
      clearTimeout(timer);
    };
  }, [words]);

  const more = () => {
    if (limit < found.length) setLimit(limit + SHOWN);
    else if (!directory.isComplete && !words.length) directory.loadMore().then(() => setLimit(limit + SHOWN));
  };
  const isMore = limit < found.length || (!directory.isComplete && !words.length);
  return html`<${Title} text="Things">
      <p class="hint" role="status">${toStatus({ found, things, total, words, isLoading, problem })}</p></${Title}>
    <search><input type="search" class="search" aria-label="Search Things" placeholder="Search names, words and affordances"
      value=${text} onInput=${(event) => setText(event.target.value)} /></search>
    ${problem?.status === 401 ? html`<${Stranger} />` : html`<${ProblemBox} problem=${problem} />`}
    ${!isLoading && !problem && total === 0 && html`<${Nothing} />`}
    <ul class="cards">${found.slice(0, limit).map((each) => html`<${ThingCard} key=${each.id} thing=${each} />`)}</ul>
    ${isMore && html`<${More} key=${`${limit}/${things.length}`} onSeen=${more} />`}`;
}

function toStatus({ found, things, total, words, isLoading, problem }) {
  if (problem) return "";
  if (total === null) return isLoading ? "Loading…" : "";
  if (!words.length) return toCount(total, "Thing");
  const searched = things.length < total ? `, ${things.length} of ${total} searched` : ` of ${total}`;
  return `${found.length} found${searched}`;
}

const Stranger = () => html`<div class="empty card"><h2>This servient shows its Things to those it knows</h2>
  <button type="button" class="primary" onClick=${() => askForCredentials()}>Log in</button></div>`;

const Nothing = () => html`<div class="empty card"><h2>No Things yet</h2>
  <p>Drop a WebAssembly module, and its functions become a Thing.</p>
  <a class="button primary" href=${toHash("deployments")}>Deploy a module</a></div>`;

function ThingCard({ thing }) {
  const { names } = thing;
  const counts = [
    [names.actions.length, "action"],
    [names.properties.length, "propert"],
    [names.events.length, "event"],
  ];
  return html`<li class="card thing-card"><a href=${toHash("thing", thing.id)}>
    <h2>${thing.title}</h2>
    ${thing.description && html`<p class="words clamp">${thing.description}</p>`}
    <p class="chips">${names.actions.slice(0, 4).map((name) => html`<code class="chip">${name}</code>`)}
      ${names.actions.length > 4 && html`<span class="hint">+${names.actions.length - 4}</span>`}</p>
    <p class="hint counts">${counts.filter(([count]) => count).map(([count, noun]) => html`<span>${toNoun(count, noun)}</span>`)}</p>
  </a></li>`;
}

const toNoun = (count, noun) =>
  noun === "propert" ? `${count} ${count === 1 ? "property" : "properties"}` : toCount(count, noun);

/** Loads more when it comes into sight; a button for who does not scroll. */
function More({ onSeen }) {
  const button = useRef(null);
  useEffect(() => {
    const observer = new IntersectionObserver(
      (seen) => seen.some((each) => each.isIntersecting) && onSeen(),
      { rootMargin: "600px" },
    );
    observer.observe(button.current);
    return () => observer.disconnect();
  }, []);
  return html`<p class="more"><button type="button" ref=${button} onClick=${onSeen}>Show more</button></p>`;
}
