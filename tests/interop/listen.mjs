// A listener of Server-Sent Events as browsers have it. Arguments: a URL, the names of events.
// Writes one line of JSON when the stream is open, one per event, and one per error; runs until killed.
import EventSource from "eventsource";

const [url, ...names] = process.argv.slice(2);
const say = (value) => console.log(JSON.stringify(value));
const source = new EventSource(url);
source.onopen = () => say("open");
source.onerror = (event) => say({ error: event.message ?? null, status: event.status ?? null });
for (const name of names) {
  source.addEventListener(name, ({ type, data, lastEventId }) => say({ type, data: JSON.parse(data), id: lastEventId }));
}
