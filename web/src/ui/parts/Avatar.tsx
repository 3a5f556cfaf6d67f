import type { CSSProperties } from "react";
import { hueOf, initialsOf } from "./avatar";

export function Avatar({ name }: { name: string }) {
  const style = { "--hue": hueOf(name) } as CSSProperties;
  return (
    <span className="avatar" style={style} aria-hidden="true">
      {initialsOf(name)}
    </span>
  );
}
