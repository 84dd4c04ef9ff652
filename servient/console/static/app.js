// The page: one view at a time of the servient and its Things.
import { html, render, useEffect, useRef, useState } from "./libraries/preact.js";
import { Problem } from "./core/problem.js";
import { route } from "./core/router.js";
import { credentials } from "./core/session.js";
import { useStore } from "./core/store.js";
import { Directory } from "./things/directory.js";
import { ServientThing } from "./things/servient-thing.js";
import { DeploymentsView } from "./views/deployments.js";
import { Guard } from "./views/guard.js";
import { HealthView } from "./views/health.js";
import { InvocationsView } from "./views/invocations.js";
import { LogIn } from "./views/login.js";
import { Header } from "./views/navigation.js";
import { ProblemBox } from "./views/problem.js";
import { ThingView } from "./views/thing.js";
import { ThingsView } from "./views/things.js";

const VIEWS = new Map(
  Object.entries({
    things: ThingsView,
    thing: ThingView,
    invocations: InvocationsView,
    deployments: DeploymentsView,
    health: HealthView,
  }),
);

const directory = new Directory();
const servient = new ServientThing();
servient.heard.listen((message) => directory.heard(message));
servient.returns.listen(() => {
  directory.reload();
  servient.refreshDeployments().catch(() => {}); // what shows them says why not
});

function App() {
  const { view, name } = useStore(route);
  const who = useStore(credentials);
  const [problem, setProblem] = useState(null);
  const main = useRef(null);
  useEffect(() => {
    setProblem(null);
    directory.reload();
    servient
      .open()
      .then(() => servient.follow())
      .catch((error) => setProblem(Problem.of(error)));
  }, [who]);
  useFocus(main, `${view}/${name}`);
  const View = VIEWS.get(view) ?? ThingsView;
  return html`<${Header} servient=${servient} />
    <main id="main" tabindex="-1" ref=${main}>
      <${ProblemBox} problem=${problem?.status === 401 ? null : problem} />
      <${Guard} key=${`${view}/${name}/${who?.authorization}`}>
        <${View} id=${name} servient=${servient} directory=${directory} />
      </${Guard}>
    </main>
    <${LogIn} />`;
}

/** Where a new view begins, there readers of screens begin; the first one is the browser's. */
function useFocus(main, place) {
  const isFirst = useRef(true);
  useEffect(() => {
    if (!isFirst.current) {
      main.current.focus({ preventScroll: true });
      scrollTo(0, 0);
    }
    isFirst.current = false;
  }, [place]);
}

render(html`<${App} />`, document.getElementById("console"));
