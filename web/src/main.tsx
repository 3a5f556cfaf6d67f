import "@fontsource-variable/figtree";
import "./ui/styles/tokens.css";
import "./ui/styles/base.css";
import "./ui/styles/lobby.css";
import "./ui/styles/call.css";
import "./ui/styles/tile.css";
import { createRoot } from "react-dom/client";
import { exposeDebugSurface } from "./call/debug";
import { pageStorage, readFlags, startValues } from "./call/preferences";
import { CallSession } from "./call/session";
import { initialState } from "./call/state";
import { CallStore } from "./call/store";
import { App } from "./ui/App";
import { suggestRoom } from "./ui/room-names";

const address = new URL(window.location.href);
const flags = readFlags(address);
const store = new CallStore(initialState(startValues(address, pageStorage(), suggestRoom)));
const session = new CallSession(store, flags);
exposeDebugSurface(store, session);

store.dispatch({ type: "lobby-opened" });
if (flags.autojoin) void session.devicesSettled().then(() => store.dispatch({ type: "join-asked" }));

const root = document.getElementById("root");
if (root !== null) createRoot(root).render(<App services={{ store, session }} />);
