import { useEffect } from "react";
import { resumeAudio } from "../media/audio-context";
import { CallContext, type CallServices, useCall } from "./context";
import { CallScreen } from "./call/CallScreen";
import { LeftScreen } from "./LeftScreen";
import { LiveRegion } from "./LiveRegion";
import { Lobby } from "./lobby/Lobby";
import { texts } from "./texts";

export function App({ services }: { services: CallServices }) {
  return (
    <CallContext value={services}>
      <Screen />
      <LiveRegion />
    </CallContext>
  );
}

function Screen() {
  const { phase, room } = useCall();
  const inCall = phase === "in-call";

  useEffect(() => {
    document.title = inCall ? `${room} · ${texts.product}` : texts.product;
    // The address can be passed on, and reloading the page leads back here.
    if (inCall)
      window.history.replaceState(null, "", `/r/${encodeURIComponent(room)}${window.location.search}`);
  }, [inCall, room]);

  useEffect(() => {
    window.addEventListener("pointerdown", resumeAudio);
    window.addEventListener("keydown", resumeAudio);
    return () => {
      window.removeEventListener("pointerdown", resumeAudio);
      window.removeEventListener("keydown", resumeAudio);
    };
  }, []);

  switch (phase) {
    case "lobby":
    case "joining":
      return <Lobby />;
    case "in-call":
      return <CallScreen />;
    case "left":
      return <LeftScreen />;
  }
}
