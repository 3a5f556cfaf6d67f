/** What is remembered between visits, and what the address asks for. */
import { type CodecName, parseCodec } from "../media/encodings";
import type { CallState, StartValues } from "./state";

const KEY = "meeshy.preferences";

interface Remembered {
  name?: string;
  microphone?: string;
  camera?: string;
  speaker?: string;
  microphoneOn?: boolean;
  cameraOn?: boolean;
}

/** Wishes given in the address; power users and tests. */
export interface Flags {
  autojoin: boolean;
  /** The media node is reached over TCP only. */
  forceTcp: boolean;
  /** All media goes by way of a TURN server. */
  relay: boolean;
  simulcast: boolean;
  codec: CodecName | undefined;
}

export function readFlags(address: URL): Flags {
  const query = address.searchParams;
  return {
    autojoin: query.get("autojoin") === "1",
    forceTcp: query.get("forceTcp") === "1",
    relay: query.get("relay") === "1",
    simulcast: query.get("simulcast") !== "0",
    codec: parseCodec(query.get("codec")),
  };
}

/** `?mic=0` and `?cam=0` begin muted and without a picture, whatever was remembered; `1` the other way round. */
export function startValues(address: URL, storage: Storage | undefined): StartValues {
  const remembered = read(storage);
  const asked = (name: string) => {
    const value = address.searchParams.get(name);
    return value === "0" ? false : value === "1" ? true : undefined;
  };
  return {
    name: address.searchParams.get("name")?.trim() ?? remembered.name ?? "",
    chosen: {
      microphone: remembered.microphone,
      camera: remembered.camera,
      speaker: remembered.speaker,
    },
    microphoneOn: asked("mic") ?? remembered.microphoneOn ?? true,
    cameraOn: asked("cam") ?? remembered.cameraOn ?? true,
  };
}

export function remember(storage: Storage | undefined, state: CallState): void {
  const { microphone, camera } = state.local;
  const remembered: Remembered = {
    name: state.name.trim(),
    ...state.chosen,
    // A device that failed is not a wish to be without it next time.
    microphoneOn: microphone.on || microphone.trouble !== null,
    cameraOn: camera.on || camera.trouble !== null,
  };
  try {
    storage?.setItem(KEY, JSON.stringify(remembered));
  } catch {
    // Private windows may refuse; the next visit then starts afresh.
  }
}

function read(storage: Storage | undefined): Remembered {
  try {
    const value: unknown = JSON.parse(storage?.getItem(KEY) ?? "{}");
    return typeof value === "object" && value !== null ? sanitise(value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function sanitise(value: Record<string, unknown>): Remembered {
  const text = (key: string) => (typeof value[key] === "string" ? value[key] : undefined);
  const flag = (key: string) => (typeof value[key] === "boolean" ? value[key] : undefined);
  return {
    name: text("name"),
    microphone: text("microphone"),
    camera: text("camera"),
    speaker: text("speaker"),
    microphoneOn: flag("microphoneOn"),
    cameraOn: flag("cameraOn"),
  };
}

export function pageStorage(): Storage | undefined {
  try {
    return globalThis.localStorage;
  } catch {
    return undefined;
  }
}
