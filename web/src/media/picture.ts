/**
 * Shows a track in a box and changes to another one without a gap: the old picture stays until the new track presents
 * frames one after the other. Never black, never a hole, whatever the order in which tracks come and go.
 */

/** A first frame alone may be followed by a pause, while the sender's encoder gets going; so many in a row are a flow. */
const FLOW_FRAMES = 3;
/** Frames further apart than this are no flow, milliseconds; half of what the eye takes for a hiccup. */
const FLOW_INTERVAL = 150;
/** What has no flow by then, milliseconds after its first frame, is as good as it gets. */
const FLOW_PATIENCE = 700;
/** An old picture that has stood still for so long is not worth waiting for, milliseconds. */
const OLD_STILL = 250;

export interface PictureLook {
  className: string;
  label: string;
}

type FrameListener = (at: number) => void;

interface View {
  element: HTMLVideoElement;
  track: MediaStreamTrack;
  stop: () => void;
  /** When the first and the latest frame were presented, and how many of the latest came in a row. */
  first: number | null;
  latest: number | null;
  inRow: number;
}

export class Picture {
  readonly #box: HTMLElement;
  readonly #onFrame: FrameListener;
  #look: PictureLook = { className: "", label: "" };
  #shown: View | null = null;
  #next: View | null = null;

  /** `onFrame` hears of every frame of the picture shown, with the time it was presented (`performance.now()`). */
  constructor(box: HTMLElement, onFrame: FrameListener) {
    this.#box = box;
    this.#onFrame = onFrame;
  }

  dress(look: PictureLook): void {
    this.#look = look;
    for (const view of [this.#shown, this.#next]) if (view !== null) this.#dressOne(view.element);
  }

  /** Null keeps what is shown: the track is on its way, or the caller takes the whole box away. */
  show(track: MediaStreamTrack | null): void {
    if (this.#next?.track === track) return;
    this.#drop(this.#next);
    this.#next = null;
    if (track === null || this.#shown?.track === track) return;
    const view = this.#make(track);
    if (this.#shown === null) this.#shown = view;
    else this.#next = view;
    // Behind the old picture: it is laid out and drawn there, so that its first frame is ready to be seen.
    view.element.style.zIndex = this.#shown === view ? "1" : "0";
    this.#box.append(view.element);
    // Muted video may always play; a refusal only means that the element is going away.
    view.element.play().catch(() => undefined);
    view.stop = watchFrames(view.element, (at) => this.#frame(view, at));
  }

  close(): void {
    this.#drop(this.#shown);
    this.#drop(this.#next);
    this.#shown = null;
    this.#next = null;
  }

  #frame(view: View, at: number): void {
    view.inRow = view.latest !== null && at - view.latest <= FLOW_INTERVAL ? view.inRow + 1 : 1;
    view.first ??= at;
    view.latest = at;
    if (view === this.#next && this.#mayTakeOver(view, view.first, at)) {
      const old = this.#shown;
      this.#shown = view;
      this.#next = null;
      view.element.style.zIndex = "1";
      this.#drop(old);
    }
    if (view === this.#shown) this.#onFrame(at);
  }

  #mayTakeOver(view: View, first: number, at: number): boolean {
    const old = this.#shown?.latest ?? null;
    const oldStands = old === null || at - old > OLD_STILL || this.#shown?.track.readyState === "ended";
    return oldStands || view.inRow >= FLOW_FRAMES || at - first >= FLOW_PATIENCE;
  }

  #make(track: MediaStreamTrack): View {
    const element = document.createElement("video");
    // As attributes too, so that the page reads the same as one written by hand.
    element.autoplay = true;
    element.muted = true;
    element.playsInline = true;
    element.disablePictureInPicture = true;
    element.setAttribute("playsinline", "");
    element.style.position = "absolute";
    element.style.inset = "0";
    this.#dressOne(element);
    element.srcObject = new MediaStream([track]);
    return { element, track, stop: () => undefined, first: null, latest: null, inRow: 0 };
  }

  #dressOne(element: HTMLVideoElement): void {
    element.className = this.#look.className;
    element.setAttribute("aria-label", this.#look.label);
  }

  #drop(view: View | null): void {
    if (view === null) return;
    view.stop();
    view.element.srcObject = null;
    view.element.remove();
  }
}

/** Calls back for every presented frame; in browsers that cannot tell, once when there is a first one. */
function watchFrames(element: HTMLVideoElement, onFrame: FrameListener): () => void {
  if (!("requestVideoFrameCallback" in element)) {
    const video: HTMLVideoElement = element;
    const once = () => onFrame(performance.now());
    video.addEventListener("loadeddata", once, { once: true });
    return () => video.removeEventListener("loadeddata", once);
  }
  let handle = 0;
  const again = () => {
    handle = element.requestVideoFrameCallback((now, metadata) => {
      // First: the listener may end the watch.
      again();
      onFrame(Number.isFinite(metadata.presentationTime) ? metadata.presentationTime : now);
    });
  };
  again();
  return () => element.cancelVideoFrameCallback(handle);
}
