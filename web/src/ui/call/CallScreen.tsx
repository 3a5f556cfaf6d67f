import { useEffect, useRef, useState } from "react";
import { tilesOf } from "../../call/tiles";
import { useCall } from "../context";
import { texts } from "../texts";
import { Controls } from "./Controls";
import { DevicePanel } from "./DevicePanel";
import { RemoteAudio } from "./RemoteAudio";
import { SoundPrompt } from "./SoundPrompt";
import { Stage } from "./Stage";
import { Toasts } from "./Toasts";
import { TopBar } from "./TopBar";
import { useShortcuts } from "./useShortcuts";
import { useWakeLock } from "./useWakeLock";

export function CallScreen() {
  const state = useCall();
  const [devicesOpen, setDevicesOpen] = useState(false);
  const main = useRef<HTMLElement>(null);
  // The lobby and whatever had the focus in it are gone; readers start here, and keys work at once.
  useEffect(() => main.current?.focus(), []);
  useShortcuts();
  useWakeLock();
  return (
    <div className="call" data-testid="call-screen">
      <TopBar />
      <main ref={main} tabIndex={-1} className="call-main" aria-label={texts.call.main(state.room)}>
        <Stage tiles={tilesOf(state)} />
        <SoundPrompt />
        <Toasts />
      </main>
      <Controls devicesOpen={devicesOpen} onDevices={() => setDevicesOpen((open) => !open)} />
      {devicesOpen && <DevicePanel onClose={() => setDevicesOpen(false)} />}
      <RemoteAudio />
    </div>
  );
}
