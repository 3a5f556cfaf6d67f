/** Every word the page says, in the reader's language where there is a translation. */
import { en } from "./texts/en";

/** The shape of a translation: the same keys, other words. */
export type Translated<T> = T extends string
  ? string
  : T extends (...parameters: infer P) => string
    ? (...parameters: P) => string
    : { readonly [K in keyof T]: Translated<T[K]> };

export type Texts = Translated<typeof en>;

/** By ISO 639-1. A translation is added here and nowhere else. */
const TRANSLATIONS: Record<string, Texts> = { en };

export function textsFor(languages: readonly string[]): Texts {
  return translationFor(TRANSLATIONS, languages) ?? en;
}

/** What there is in the first of these languages that has a translation at all. */
export function translationFor<T>(
  translations: Record<string, T>,
  languages: readonly string[],
): T | undefined {
  for (const language of languages) {
    const found = translations[language.slice(0, 2).toLowerCase()];
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The reader's, the preferred one first. */
export const LANGUAGES: readonly string[] = typeof navigator === "undefined" ? ["en"] : navigator.languages;

export const texts: Texts = textsFor(LANGUAGES);

/** The language captions are in unless somebody chooses another; ISO 639-1. */
export function preferredLanguage(): string {
  const language = LANGUAGES[0]?.slice(0, 2).toLowerCase() ?? "en";
  return language in texts.languages ? language : "en";
}

/** `m:ss`, from an hour on `h:mm:ss`. */
export function clock(milliseconds: number): string {
  const total = Math.max(0, Math.floor(milliseconds / 1000));
  const hours = Math.floor(total / 3600);
  const minutes = Math.floor((total % 3600) / 60);
  const seconds = String(total % 60).padStart(2, "0");
  return hours > 0
    ? `${String(hours)}:${String(minutes).padStart(2, "0")}:${seconds}`
    : `${String(minutes)}:${seconds}`;
}

/** `mm:ss` and so on, as the banner of a running call reads. */
export function wideClock(milliseconds: number): string {
  return clock(milliseconds).padStart(5, "0");
}

const DAY = 86_400_000;

/** The time of day for today, else the day; as short as it stays clear. */
export function moment(iso: string, now: number, languages = LANGUAGES): string {
  const at = Date.parse(iso);
  if (!Number.isFinite(at)) return "";
  const date = new Date(at);
  const locale = [...languages];
  if (new Date(now).toDateString() === date.toDateString())
    return date.toLocaleTimeString(locale, { hour: "2-digit", minute: "2-digit" });
  if (now - at < 6 * DAY) return date.toLocaleDateString(locale, { weekday: "short" });
  return date.toLocaleDateString(locale, { day: "numeric", month: "short" });
}

/** Day and time of day. */
export function dayAndTime(iso: string, languages = LANGUAGES): string {
  const at = Date.parse(iso);
  if (!Number.isFinite(at)) return "";
  const shape = { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" } as const;
  return new Date(at).toLocaleString([...languages], shape);
}
