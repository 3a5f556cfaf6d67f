/** A page around components: a real store, a session that only remembers, and the browser parts jsdom lacks. */
import { render, type RenderResult } from "@testing-library/react";
import type { ReactNode } from "react";
import { vi } from "vitest";
import type { Effect } from "../call/actions";
import { type CallState, initialState } from "../call/state";
import { CallStore } from "../call/store";
import { LevelBoard } from "../media/levels";
import { ViewBook } from "../media/views";
import { CallContext, type CallServices } from "../ui/context";

class FakeResizeObserver implements ResizeObserver {
  readonly #callback: ResizeObserverCallback;

  constructor(callback: ResizeObserverCallback) {
    this.#callback = callback;
  }

  observe(target: Element): void {
    const contentRect = { width: 1280, height: 720 } as DOMRectReadOnly;
    this.#callback([{ target, contentRect } as ResizeObserverEntry], this);
  }

  unobserve(): void {
    // Sizes never change here.
  }

  disconnect(): void {
    // Nothing is held.
  }
}

class FakeMediaStream {
  readonly tracks: MediaStreamTrack[];

  constructor(tracks: MediaStreamTrack[] = []) {
    this.tracks = tracks;
  }
}

/** Call before rendering anything that shows video or measures itself. */
export function furnishPage(): void {
  vi.stubGlobal("ResizeObserver", FakeResizeObserver);
  vi.stubGlobal("MediaStream", FakeMediaStream);
  vi.spyOn(HTMLMediaElement.prototype, "play").mockResolvedValue(undefined);
}

export interface Page extends RenderResult {
  store: CallStore;
  effects: Effect[];
  views: ViewBook;
  session: CallServices["session"];
}

export function open(children: ReactNode, change: Partial<CallState> = {}): Page {
  const base = initialState({
    name: "Ada",
    chosen: { microphone: undefined, camera: undefined, speaker: undefined },
    microphoneOn: true,
    cameraOn: true,
  });
  const store = new CallStore({ ...base, ...change });
  const effects: Effect[] = [];
  store.perform((effect) => effects.push(effect));
  const views = new ViewBook();
  const session = {
    views,
    levels: new LevelBoard(),
    canShareScreen: true,
    noteFrame: () => undefined,
    noteVoice: () => undefined,
    leave: vi.fn(),
    end: vi.fn(),
    kick: vi.fn(),
  };
  const rendered = render(<CallContext value={{ store, session }}>{children}</CallContext>);
  return { ...rendered, store, effects, views, session };
}
