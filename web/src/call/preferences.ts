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
  forceTcp: boolean;
  simulcast: boolean;
  codec: CodecName | undefined;
}

export function readFlags(address: URL): Flags {
  const query = address.searchParams;
  return {
    autojoin: query.get("autojoin") === "1",
    forceTcp: query.get("forceTcp") === "1",
    simulcast: query.get("simulcast") !== "0",
    codec: parseCodec(query.get("codec")),
  };
}

/** The room of `/r/<room>` or `?room=`; empty when the address names none. */
export function roomOf(address: URL): string {
  const match = /^\/r\/([^/]+)\/?$/.exec(address.pathname);
  if (match?.[1] !== undefined) return decode(match[1]);
  return address.searchParams.get("room")?.trim() ?? "";
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text).trim();
  } catch {
    return "";
  }
}

export function inviteLink(origin: string, room: string): string {
  return `${origin}/r/${encodeURIComponent(room.trim())}`;
}

export function startValues(
  address: URL,
  storage: Storage | undefined,
  suggestion: () => string,
): StartValues {
  const remembered = read(storage);
  const room = roomOf(address);
  return {
    room: room === "" ? suggestion() : room,
    name: address.searchParams.get("name")?.trim() ?? remembered.name ?? "",
    chosen: {
      microphone: remembered.microphone,
      camera: remembered.camera,
      speaker: remembered.speaker,
    },
    microphoneOn: remembered.microphoneOn ?? true,
    cameraOn: remembered.cameraOn ?? true,
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
