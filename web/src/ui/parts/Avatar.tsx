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
  return (
    <span className="avatar" style={style} aria-hidden="true">
      {src !== null && src !== "" && src !== broken ? (
        <img src={src} alt="" draggable={false} onError={() => setBroken(src)} />
      ) : (
        initialsOf(name)
      )}
    </span>
  );
}
