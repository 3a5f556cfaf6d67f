import { useEffect, useMemo, useRef, useState } from "react";
import { tilesOf } from "../../call/tiles";
import { useCall, useDispatch } from "../context";
import { texts } from "../texts";
import { AdviceBar } from "./AdviceBar";
import { CaptionConsent, CaptionLines } from "./Captions";
import { Controls, type PanelName } from "./Controls";
import { DevicePanel } from "./DevicePanel";
import { PeoplePanel } from "./PeoplePanel";
import { SoundPrompt } from "./SoundPrompt";
import { Stage } from "./Stage";
import { SwitchStrip } from "./SwitchStrip";
import { Toasts } from "./Toasts";
import { TopBar } from "./TopBar";
import { useShortcuts } from "./useShortcuts";
import { useWakeLock } from "./useWakeLock";

type Open = PanelName | "consent" | null;

export function CallScreen() {
  const state = useCall();
  const dispatch = useDispatch();
  const [open, setOpen] = useState<Open>(null);
  const consented = useRef(false);
  const main = useRef<HTMLElement>(null);
  const tiles = useMemo(() => tilesOf(state), [state]);
  // Whatever had the focus before is gone; readers start here, and keys work at once.
  useEffect(() => main.current?.focus(), []);
  useShortcuts();
  useWakeLock();

  const close = () => setOpen(null);
  const captions = () => {
    if (state.captions.on || consented.current) dispatch({ type: "captions-toggled" });
    else setOpen("consent");
  };
  const consent = () => {
    consented.current = true;
    dispatch({ type: "captions-toggled" });
    setOpen(null);
  };

  return (
    <div className="call" data-testid="call-screen" data-mode={state.mode}>
      <TopBar />
      <main
        ref={main}
        tabIndex={-1}
        className="call-main"
        aria-label={texts.call.main(state.call?.title ?? "")}
      >
        <Stage tiles={tiles} />
        <div className="strips">
          <SwitchStrip />
          <AdviceBar />
        </div>
        <CaptionLines />
        <SoundPrompt />
        <Toasts />
      </main>
      <Controls
        open={open}
        onOpen={(panel) => setOpen(open === panel ? null : panel)}
        onCaptions={captions}
      />
      {open === "devices" && <DevicePanel onClose={close} onCaptions={captions} />}
      {open === "people" && <PeoplePanel onClose={close} />}
      {open === "consent" && <CaptionConsent onYes={consent} onClose={close} />}
    </div>
  );
}
