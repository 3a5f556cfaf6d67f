/** Names for rooms that are easy to say on the phone: a mood, an animal, a number. */
const MOODS = [
  "amber",
  "bright",
  "calm",
  "cosy",
  "gentle",
  "golden",
  "happy",
  "lively",
  "lucky",
  "merry",
  "quiet",
  "sunny",
  "swift",
  "warm",
];
const ANIMALS = [
  "badger",
  "dolphin",
  "falcon",
  "fox",
  "heron",
  "koala",
  "lynx",
  "otter",
  "owl",
  "panda",
  "puffin",
  "robin",
  "seal",
  "swan",
];
const NUMBERS = 1000;

export function suggestRoom(random: () => number = Math.random): string {
  const pick = (words: string[]) => words[Math.floor(random() * words.length)] ?? words[0];
  return [pick(MOODS), pick(ANIMALS), Math.floor(random() * NUMBERS)].join("-");
}
