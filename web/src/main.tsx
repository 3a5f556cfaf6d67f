import "@fontsource-variable/figtree";
import "./ui/styles";
import { createRoot } from "react-dom/client";
import { Application, browserOutside } from "./app/application";
import { callsOf } from "./app/calls";
import { pageKeeping } from "./app/remembered";
import { Ringtone } from "./app/ringtone";
import { isOperator, routeOf } from "./app/route";
import { initialAppState } from "./app/state";
import { AppStore } from "./app/store";
import { readWishes } from "./app/wishes";
import { exposeDebugSurface } from "./call/debug";
import { pageStorage, readFlags, startValues } from "./call/preferences";
import { CallSession } from "./call/session";
import { initialState } from "./call/state";
import { CallStore } from "./call/store";
import { App } from "./ui/App";
import { preferredLanguage, texts } from "./ui/texts";

/** Calls: everything but the operator's page. */
function openCalls(root: HTMLElement, address: URL): void {
  const callStore = new CallStore(initialState(startValues(address, pageStorage())));
  const session = new CallSession(callStore, readFlags(address));
  exposeDebugSurface(callStore, session);

  const appStore = new AppStore(initialAppState(routeOf(address.pathname), preferredLanguage()));
  const application = new Application(
    appStore,
    callsOf(callStore, session),
    browserOutside(pageKeeping(), new Ringtone()),
    readWishes(address.searchParams),
  );
  window.addEventListener("popstate", () => application.addressChanged(window.location.pathname));

  const app = {
    store: appStore,
    touched: () => application.touched(),
    measureSpeed: () => application.measureSpeed(),
  };
  createRoot(root).render(<App app={app} call={{ store: callStore, session }} />);
  application.open();
}

const root = document.getElementById("root");
if (root !== null) {
  const address = new URL(window.location.href);
  if (isOperator(address.pathname))
    import("./ui/operator/open").then(
      ({ openOperator }) => openOperator(root),
      () => root.append(texts.problem.unreachable),
    );
  else openCalls(root, address);
}
