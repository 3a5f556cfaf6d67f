import { type RefObject, useLayoutEffect, useState } from "react";
import type { Space } from "../../call/layout";

/** The inner size of an element in CSS pixels, kept up to date. Null until the observer first reports, before the first paint. */
export function useSize(element: RefObject<HTMLElement | null>): Space | null {
  const [size, setSize] = useState<Space | null>(null);
  useLayoutEffect(() => {
    const target = element.current;
    if (target === null) return;
    const observer = new ResizeObserver(([entry]) => {
      if (entry === undefined) return;
      const { width, height } = entry.contentRect;
      setSize({ width, height });
    });
    observer.observe(target);
    return () => observer.disconnect();
  }, [element]);
  return size;
}
