import { type KeyboardEvent, type PointerEvent, useRef, useState } from "react";
import type { Rect } from "../../call/layout";
import { type Point, STEP } from "./overlays";

interface Drag {
  dragging: boolean;
  handlers: {
    onPointerDown?: (event: PointerEvent) => void;
    onPointerMove?: (event: PointerEvent) => void;
    onPointerUp?: (event: PointerEvent) => void;
    onPointerCancel?: (event: PointerEvent) => void;
    onKeyDown?: (event: KeyboardEvent) => void;
  };
}

export interface Movable {
  /** While it is moved, and once more at the end. */
  onMove: (to: Point, done: boolean) => void;
}

/** Less than this is a click with an unsteady hand. */
const THRESHOLD = 6;
const ARROWS: Partial<Record<string, Point>> = {
  ArrowLeft: { x: -1, y: 0 },
  ArrowRight: { x: 1, y: 0 },
  ArrowUp: { x: 0, y: -1 },
  ArrowDown: { x: 0, y: 1 },
};

/** Moves something by pointer, finger or arrow keys. */
export function useDrag(rect: Rect, movable: Movable | null): Drag {
  const start = useRef<{ pointer: Point; rect: Rect; id: number } | null>(null);
  const [dragging, setDragging] = useState(false);
  if (movable === null) return { dragging: false, handlers: {} };

  const to = (event: PointerEvent): Point | null => {
    const from = start.current;
    if (from?.id !== event.pointerId) return null;
    return {
      x: from.rect.x + event.clientX - from.pointer.x,
      y: from.rect.y + event.clientY - from.pointer.y,
    };
  };
  const end = (event: PointerEvent) => {
    const place = to(event);
    start.current = null;
    if (!dragging) return;
    setDragging(false);
    if (place !== null) movable.onMove(place, true);
  };
  return {
    dragging,
    handlers: {
      onPointerDown: (event) => {
        const onButton = event.target instanceof Element && event.target.closest("button") !== null;
        if (event.button !== 0 || onButton) return;
        start.current = { pointer: { x: event.clientX, y: event.clientY }, rect, id: event.pointerId };
      },
      onPointerMove: (event) => {
        const place = to(event);
        if (place === null) return;
        if (!dragging) {
          if (Math.hypot(place.x - rect.x, place.y - rect.y) < THRESHOLD) return;
          event.currentTarget.setPointerCapture(event.pointerId);
          setDragging(true);
        }
        movable.onMove(place, false);
      },
      onPointerUp: end,
      onPointerCancel: end,
      onKeyDown: (event) => {
        const direction = ARROWS[event.key];
        if (direction === undefined || event.target !== event.currentTarget) return;
        event.preventDefault();
        movable.onMove({ x: rect.x + direction.x * STEP, y: rect.y + direction.y * STEP }, false);
      },
    },
  };
}
