import { type CSSProperties, useState } from "react";
import { hueOf, initialsOf } from "./avatar";

interface AvatarProps {
  name: string;
  /** Where the person's picture is; initials without one, or when it does not load. */
  src?: string | null;
}

export function Avatar({ name, src = null }: AvatarProps) {
  const [broken, setBroken] = useState<string | null>(null);
  const style = { "--hue": hueOf(name) } as CSSProperties;
  const picture = src !== null && src !== "" && src !== broken;
  // Letters are painted, not written: they are no part of the label of a button they are on.
  return (
    <span
      className="avatar"
      style={style}
      data-initials={picture ? undefined : initialsOf(name)}
      aria-hidden="true"
    >
      {picture && <img src={src} alt="" draggable={false} onError={() => setBroken(src)} />}
    </span>
  );
}
