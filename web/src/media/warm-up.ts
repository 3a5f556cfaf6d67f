/**
 * The first offer a page makes takes a browser up to seconds: it loads its codecs. Making one before anybody waits
 * for it takes that time out of joining.
 */
let warm = false;

export function warmUp(): void {
  if (warm || typeof RTCPeerConnection === "undefined") return;
  warm = true;
  const later =
    typeof requestIdleCallback === "function"
      ? (work: () => void) => requestIdleCallback(work, { timeout: 2_000 })
      : (work: () => void) => setTimeout(work, 200);
  later(() => void offerOnce());
}

async function offerOnce(): Promise<void> {
  const connection = new RTCPeerConnection();
  try {
    connection.addTransceiver("audio");
    connection.addTransceiver("video");
    await connection.createOffer();
  } catch {
    // A browser that cannot will say so when it matters.
  } finally {
    connection.close();
  }
}
