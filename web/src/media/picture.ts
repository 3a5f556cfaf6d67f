/**
 * Shows a track in a box and changes to another one without a gap: the old picture stays until the new track has
 * presented its first frame. Never black, never a hole, whatever the order in which tracks come and go.
 */

export interface PictureLook {
  className: string;
  label: string;
}

type FrameListener = (at: number) => void;

interface View {
  element: HTMLVideoElement;
  track: MediaStreamTrack;
  stop: () => void;
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
    if (view === this.#next) {
      const old = this.#shown;
      this.#shown = view;
      this.#next = null;
      view.element.style.zIndex = "1";
      this.#drop(old);
    }
    if (view === this.#shown) this.#onFrame(at);
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
    return { element, track, stop: () => undefined };
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
