/** Whether this browser can make calls at all. */
export function canCall(): boolean {
  return typeof globalThis.RTCPeerConnection === "function" && typeof globalThis.MediaStream === "function";
}
