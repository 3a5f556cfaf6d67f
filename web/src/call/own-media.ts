/** What this participant sends, whichever way: one set of tracks for all connections. */
import type { Source } from "../signalling/wire";

/** Something that sends: a direct connection or one through a node. */
export interface Sender {
  setTrack: (source: Source, track: MediaStreamTrack | null) => void;
  setMuted: (muted: boolean) => void;
  setReceiveVideo: (wanted: boolean) => void;
}

export class OwnMedia {
  readonly #tracks: Record<Source, MediaStreamTrack | null> = {
    microphone: null,
    camera: null,
    screen: null,
  };
  readonly #senders = new Set<Sender>();
  #muted = false;
  #receiveVideo = true;

  /** It sends from now on what there is, and every change. */
  attach(sender: Sender): () => void {
    this.#senders.add(sender);
    sender.setReceiveVideo(this.#receiveVideo);
    sender.setMuted(this.#muted);
    for (const source of ["microphone", "camera", "screen"] as const)
      sender.setTrack(source, this.#tracks[source]);
    return () => this.#senders.delete(sender);
  }

  get muted(): boolean {
    return this.#muted;
  }

  setTrack(source: Source, track: MediaStreamTrack | null): void {
    this.#tracks[source] = track;
    this.#silence();
    for (const sender of this.#senders) sender.setTrack(source, track);
  }

  setMuted(muted: boolean): void {
    this.#muted = muted;
    this.#silence();
    for (const sender of this.#senders) sender.setMuted(muted);
  }

  setReceiveVideo(wanted: boolean): void {
    this.#receiveVideo = wanted;
    for (const sender of this.#senders) sender.setReceiveVideo(wanted);
  }

  /** At once, whatever the servers are still busy with: what is said after pressing mute never leaves the machine. */
  #silence(): void {
    const { microphone } = this.#tracks;
    if (microphone !== null) microphone.enabled = !this.#muted;
  }
}
