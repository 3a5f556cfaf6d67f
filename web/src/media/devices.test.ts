// @vitest-environment jsdom
import { afterEach, expect, it, vi } from "vitest";
import {
  canShareScreen,
  DeviceError,
  listDevices,
  NO_DEVICES,
  onDeviceChange,
  onPermissionChange,
  openCamera,
  openMicrophone,
  openScreen,
  troubleOf,
} from "./devices";

/** What a browser without a secure context offers is nothing; this puts something there. */
function offer(devices: object | undefined): void {
  Object.defineProperty(navigator, "mediaDevices", { value: devices, configurable: true });
}

function stream(audio: object[], video: object[]) {
  return { getAudioTracks: () => audio, getVideoTracks: () => video };
}

afterEach(() => {
  offer(undefined);
  Reflect.deleteProperty(navigator, "permissions");
});

it.each([
  [new DOMException("", "NotAllowedError"), "denied"],
  [new DOMException("", "SecurityError"), "denied"],
  [new DOMException("", "NotFoundError"), "missing"],
  [new DOMException("", "OverconstrainedError"), "missing"],
  [new DOMException("", "NotReadableError"), "busy"],
  [new DOMException("", "AbortError"), "busy"],
  [new DeviceError("lost", "gone"), "lost"],
  [new Error("?"), "failed"],
  ["text", "failed"],
])("%s means %s", (error, trouble) => {
  expect(troubleOf(error)).toBe(trouble);
});

it("asks for a chosen device as a wish, so that one that is gone keeps nobody out", async () => {
  const track = { contentHint: "" };
  const getUserMedia = vi.fn().mockResolvedValue(stream([track], [track]));
  offer({ getUserMedia });
  await openMicrophone("mic-7");
  await openCamera("cam-7");
  await openCamera();
  const [microphone, chosen, any] = getUserMedia.mock.calls.map(([asked]) => asked as MediaStreamConstraints);
  expect(microphone?.audio).toMatchObject({ deviceId: { ideal: "mic-7" }, echoCancellation: true });
  expect(chosen?.video).toMatchObject({ deviceId: { ideal: "cam-7" } });
  expect((chosen?.video as MediaTrackConstraints).facingMode).toBeUndefined();
  expect(any?.video).toMatchObject({ facingMode: "user" });
  expect(track.contentHint).toBe("motion");
});

it("tells why nothing could be opened", async () => {
  offer(undefined);
  await expect(openMicrophone()).rejects.toMatchObject({ trouble: "unsupported" });
  await expect(openScreen()).rejects.toMatchObject({ trouble: "unsupported" });
  expect(canShareScreen()).toBe(false);
  offer({ getUserMedia: () => Promise.resolve(stream([], [])) });
  await expect(openCamera()).rejects.toMatchObject({ trouble: "missing" });
});

it("shares a screen for reading, without its sound", async () => {
  const track = { contentHint: "" };
  const getDisplayMedia = vi.fn().mockResolvedValue(stream([], [track]));
  offer({ getDisplayMedia });
  expect(canShareScreen()).toBe(true);
  expect(await openScreen()).toBe(track);
  expect(track.contentHint).toBe("detail");
  expect(getDisplayMedia.mock.calls[0]?.[0]).toMatchObject({ audio: false });
});

it("lists devices by kind, without those the browser keeps to itself", async () => {
  offer(undefined);
  expect(await listDevices()).toEqual(NO_DEVICES);
  const found = [
    { kind: "audioinput", deviceId: "m", label: "Microphone" },
    { kind: "videoinput", deviceId: "c", label: "" },
    { kind: "videoinput", deviceId: "", label: "" },
    { kind: "audiooutput", deviceId: "s", label: "Speaker" },
  ];
  offer({ enumerateDevices: () => Promise.resolve(found) });
  expect(await listDevices()).toEqual({
    microphones: [{ id: "m", label: "Microphone" }],
    cameras: [{ id: "c", label: "" }],
    speakers: [{ id: "s", label: "Speaker" }],
  });
  offer({ enumerateDevices: () => Promise.reject(new Error("no")) });
  expect(await listDevices()).toEqual(NO_DEVICES);
});

it("hears of devices that come and go until it is told not to", () => {
  const devices = new EventTarget();
  offer(devices);
  const heard = vi.fn();
  const stop = onDeviceChange(heard);
  devices.dispatchEvent(new Event("devicechange"));
  stop();
  devices.dispatchEvent(new Event("devicechange"));
  expect(heard).toHaveBeenCalledTimes(1);
});

it("hears of permissions where the browser lets a page ask", async () => {
  const heard = vi.fn();
  (await onPermissionChange("camera", heard))();
  const status = Object.assign(new EventTarget(), { state: "granted" });
  const query = vi.fn().mockResolvedValue(status);
  Object.defineProperty(navigator, "permissions", { value: { query }, configurable: true });
  const stop = await onPermissionChange("microphone", heard);
  status.dispatchEvent(new Event("change"));
  stop();
  status.dispatchEvent(new Event("change"));
  expect(query).toHaveBeenCalledWith({ name: "microphone" });
  expect(heard.mock.calls).toEqual([["granted"]]);
});
