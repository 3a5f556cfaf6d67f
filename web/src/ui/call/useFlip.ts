import { useCall, useDispatch } from "../context";

/** Phones and tablets: the next camera. Null where there is nothing to switch, or a pointer to choose with. */
export function useFlip(): (() => void) | null {
  const { devices, chosen, local } = useCall();
  const dispatch = useDispatch();
  const { cameras } = devices;
  if (cameras.length < 2 || !local.camera.on || !isHandHeld()) return null;
  return () => {
    const at = cameras.findIndex((camera) => camera.id === chosen.camera);
    const next = cameras[(Math.max(0, at) + 1) % cameras.length];
    if (next !== undefined) dispatch({ type: "device-chosen", kind: "camera", deviceId: next.id });
  };
}

function isHandHeld(): boolean {
  return typeof window.matchMedia === "function" && window.matchMedia("(pointer: coarse)").matches;
}
