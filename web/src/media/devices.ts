/** Cameras, microphones, speakers and screens of this machine, and why one could not be opened. */
import { errorName } from "../error-name";

export type DeviceTrouble = "denied" | "missing" | "busy" | "unsupported" | "lost" | "failed";

export interface DeviceChoice {
  id: string;
  /** Empty while the browser keeps the names to itself (no permission yet). */
  label: string;
}

export interface DeviceList {
  microphones: DeviceChoice[];
  cameras: DeviceChoice[];
  speakers: DeviceChoice[];
}

export const NO_DEVICES: DeviceList = { microphones: [], cameras: [], speakers: [] };

export class DeviceError extends Error {
  override readonly name = "DeviceError";
  readonly trouble: DeviceTrouble;

  constructor(trouble: DeviceTrouble, message: string) {
    super(message);
    this.trouble = trouble;
  }
}

/** Undefined on a page without a secure context and in browsers without capture. */
function mediaDevices(): MediaDevices | undefined {
  return (navigator as { mediaDevices?: MediaDevices }).mediaDevices;
}

export function canShareScreen(): boolean {
  const devices = mediaDevices() as { getDisplayMedia?: unknown } | undefined;
  return typeof devices?.getDisplayMedia === "function";
}

export function canChooseSpeaker(): boolean {
  return "setSinkId" in HTMLMediaElement.prototype;
}

export function troubleOf(error: unknown): DeviceTrouble {
  if (error instanceof DeviceError) return error.trouble;
  switch (errorName(error)) {
    case "NotAllowedError":
    case "SecurityError":
      return "denied";
    case "NotFoundError":
    case "OverconstrainedError":
      return "missing";
    case "NotReadableError":
    case "AbortError":
      return "busy";
    default:
      return "failed";
  }
}

export async function openMicrophone(deviceId?: string): Promise<MediaStreamTrack> {
  return openTrack("audio", {
    audio: {
      deviceId: choice(deviceId),
      echoCancellation: true,
      noiseSuppression: true,
      autoGainControl: true,
    },
  });
}

export async function openCamera(deviceId?: string): Promise<MediaStreamTrack> {
  const track = await openTrack("video", {
    video: {
      deviceId: choice(deviceId),
      facingMode: deviceId === undefined ? "user" : undefined,
      width: { ideal: 1280 },
      height: { ideal: 720 },
      frameRate: { ideal: 30, max: 30 },
    },
  });
  track.contentHint = "motion";
  return track;
}

export async function openScreen(): Promise<MediaStreamTrack> {
  if (!canShareScreen()) throw new DeviceError("unsupported", "no screen capture");
  const stream = await navigator.mediaDevices.getDisplayMedia({
    video: { frameRate: { ideal: 15, max: 30 } },
    audio: false,
  });
  const track = only(stream.getVideoTracks());
  track.contentHint = "detail";
  return track;
}

/** A stored choice that is gone must not keep the user out: it is a wish, not a demand. */
function choice(deviceId: string | undefined): ConstrainDOMString | undefined {
  return deviceId === undefined ? undefined : { ideal: deviceId };
}

async function openTrack(
  kind: "audio" | "video",
  constraints: MediaStreamConstraints,
): Promise<MediaStreamTrack> {
  const devices = mediaDevices();
  if (devices === undefined) throw new DeviceError("unsupported", "no capture on this page");
  const stream = await devices.getUserMedia(constraints);
  return only(kind === "audio" ? stream.getAudioTracks() : stream.getVideoTracks());
}

function only(tracks: MediaStreamTrack[]): MediaStreamTrack {
  const track = tracks[0];
  if (track === undefined) throw new DeviceError("missing", "capture gave no track");
  return track;
}

export async function listDevices(): Promise<DeviceList> {
  const devices = mediaDevices();
  if (devices === undefined) return NO_DEVICES;
  const found = await devices.enumerateDevices().catch(() => []);
  return {
    microphones: choices(found, "audioinput"),
    cameras: choices(found, "videoinput"),
    speakers: choices(found, "audiooutput"),
  };
}

function choices(found: MediaDeviceInfo[], kind: MediaDeviceKind): DeviceChoice[] {
  return found
    .filter((device) => device.kind === kind && device.deviceId !== "")
    .map((device) => ({ id: device.deviceId, label: device.label }));
}

export function onDeviceChange(listener: () => void): () => void {
  const devices = mediaDevices();
  devices?.addEventListener("devicechange", listener);
  return () => devices?.removeEventListener("devicechange", listener);
}

/** Calls back when the user grants or takes back a permission in the browser's own settings. */
export async function onPermissionChange(
  name: "camera" | "microphone",
  listener: (state: PermissionState) => void,
): Promise<() => void> {
  try {
    const status = await navigator.permissions.query({ name: name });
    const notify = () => listener(status.state);
    status.addEventListener("change", notify);
    return () => status.removeEventListener("change", notify);
  } catch {
    // Not every browser lets a page ask; granting then needs the retry button.
    return () => undefined;
  }
}
