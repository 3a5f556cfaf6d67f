/** Initials and a colour of one's own, from a name. */

const GRAPHEMES = typeof Intl.Segmenter === "function" ? new Intl.Segmenter() : null;

export function initialsOf(name: string): string {
  const words = name
    .trim()
    .split(/\s+/)
    .filter((word) => word !== "");
  const first = words[0];
  if (first === undefined) return "?";
  const last = words.length > 1 ? words[words.length - 1] : undefined;
  return (firstLetter(first) + (last === undefined ? "" : firstLetter(last))).toUpperCase();
}

function firstLetter(word: string): string {
  if (GRAPHEMES === null) return String.fromCodePoint(word.codePointAt(0) ?? 63);
  return GRAPHEMES.segment(word)[Symbol.iterator]().next().value?.segment ?? "";
}

/** Hue in degrees; the same name always gets the same. */
export function hueOf(name: string): number {
  let hash = 7;
  for (const character of name) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) % 3600;
  // Twelve clearly different colours look calmer than any of 360.
  return (hash % 12) * 30 + 8;
}
