import { useEffect } from "react";
import { conversationOf } from "../app/state";
import { resumeAudio } from "../media/audio-context";
import { AppToasts } from "./AppToasts";
import { CallScreen } from "./call/CallScreen";
import { OutgoingScreen } from "./call/OutgoingScreen";
import { RemoteAudio } from "./call/RemoteAudio";
import {
  AppContext,
  type AppServices,
  CallContext,
  type CallServices,
  useApp,
  useAppServices,
  useCall,
} from "./context";
import { GuestScreen } from "./guest/GuestScreen";
import { HomeScreen } from "./home/HomeScreen";
import { IncomingCalls } from "./incoming/IncomingCalls";
import { LiveRegion } from "./LiveRegion";
import { LoginScreen } from "./LoginScreen";
import { OutcomeScreen } from "./outcome/OutcomeScreen";
import { texts } from "./texts";

export function App({ app, call }: { app: AppServices; call: CallServices }) {
  return (
    <AppContext value={app}>
      <CallContext value={call}>
        <Screen />
        <RemoteAudio />
        <IncomingCalls />
        <AppToasts />
        <LiveRegion />
      </CallContext>
    </AppContext>
  );
}

function Screen() {
  const { phase, outcome } = useCall();
  useTitle();
  useTouched();
  switch (phase) {
    case "calling":
    case "joining":
      return <OutgoingScreen />;
    case "in-call":
      return <CallScreen />;
    case "ended":
      return outcome === null ? <Outside /> : <OutcomeScreen outcome={outcome} />;
    case "idle":
      return <Outside />;
  }
}

/** Everything that is not a call. */
function Outside() {
  const { session, guest } = useApp();
  if (guest !== null) return <GuestScreen guest={guest} />;
  switch (session.kind) {
    case "opening":
      return (
        <p className="gate-opening gate-alone" role="status">
          <span className="spinner" aria-hidden="true" />
          {texts.opening}
        </p>
      );
    case "out":
      return (
        <LoginScreen
          busy={session.busy}
          problem={session.problem === null ? null : texts.problem[session.problem]}
        />
      );
    case "in":
      return <HomeScreen account={session.account} />;
  }
}

/** Says in the tab where one is. */
function useTitle(): void {
  const app = useApp();
  const { call, phase } = useCall();
  const open =
    app.route.page === "conversation" ? conversationOf(app, app.route.conversationId)?.title : undefined;
  const place = phase === "idle" ? (open ?? app.guest?.link?.title) : call?.title;
  useEffect(() => {
    document.title = place === undefined || place === "" ? texts.product : `${place} · ${texts.product}`;
  }, [place]);
}

/** Browsers keep a page silent until it is touched. */
function useTouched(): void {
  const { touched } = useAppServices();
  useEffect(() => {
    const unlock = () => {
      resumeAudio();
      touched();
    };
    window.addEventListener("pointerdown", unlock);
    window.addEventListener("keydown", unlock);
    return () => {
      window.removeEventListener("pointerdown", unlock);
      window.removeEventListener("keydown", unlock);
    };
  }, [touched]);
}
