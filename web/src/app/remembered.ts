/** What is kept in the browser between visits: who is logged in, and which guest one was. */
import type { Account, LoginResponse, TrackedLink } from "../signalling/generated";

export interface Login {
  token: string;
  /** ISO 8601, UTC. */
  tokenExpiresAt: string;
  user: Account;
}

export interface GuestPass {
  sessionToken: string;
  username: string;
  link: TrackedLink;
}

/** Kept per tab first, so that two windows of one browser can be two people; and for the next visit. */
export interface Keeping {
  tab: Storage | undefined;
  visits: Storage | undefined;
}

const LOGIN = "meeshy.session";
const GUEST = "meeshy.guest.";

export function keepLogin({ tab, visits }: Keeping, login: Login): void {
  const text = JSON.stringify(login);
  write(tab, LOGIN, text);
  write(visits, LOGIN, text);
}

/** Only in this tab: for a login that came with the address. */
export function keepLoginInTab({ tab }: Keeping, login: Login): void {
  write(tab, LOGIN, JSON.stringify(login));
}

export function forgetLogin({ tab, visits }: Keeping): void {
  const mine = readText(tab, LOGIN);
  write(tab, LOGIN, null);
  // Another tab may have logged somebody else in since; that login is not ours to forget.
  if (mine === null || mine === readText(visits, LOGIN)) write(visits, LOGIN, null);
}

/** The remembered login, unless its token has run out. */
export function rememberedLogin({ tab, visits }: Keeping, now: number): Login | null {
  return readLogin(tab, now) ?? readLogin(visits, now);
}

function readLogin(storage: Storage | undefined, now: number): Login | null {
  const value = readJson(storage, LOGIN);
  if (!isObject(value) || typeof value.token !== "string" || !isObject(value.user)) return null;
  const { userId, username } = value.user;
  if (typeof userId !== "string" || typeof username !== "string") return null;
  const end = typeof value.tokenExpiresAt === "string" ? Date.parse(value.tokenExpiresAt) : Number.NaN;
  return end <= now ? null : (value as unknown as LoginResponse);
}

export function keepGuest({ tab }: Keeping, linkToken: string, pass: GuestPass): void {
  write(tab, GUEST + linkToken, JSON.stringify(pass));
}

export function forgetGuest({ tab }: Keeping, linkToken: string): void {
  write(tab, GUEST + linkToken, null);
}

export function rememberedGuest({ tab }: Keeping, linkToken: string): GuestPass | null {
  const value = readJson(tab, GUEST + linkToken);
  if (!isObject(value) || typeof value.sessionToken !== "string") return null;
  if (typeof value.username !== "string" || !isObject(value.link)) return null;
  return value as unknown as GuestPass;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function readText(storage: Storage | undefined, key: string): string | null {
  try {
    return storage?.getItem(key) ?? null;
  } catch {
    return null;
  }
}

function readJson(storage: Storage | undefined, key: string): unknown {
  try {
    return JSON.parse(readText(storage, key) ?? "null") as unknown;
  } catch {
    return null;
  }
}

function write(storage: Storage | undefined, key: string, text: string | null): void {
  try {
    if (text === null) storage?.removeItem(key);
    else storage?.setItem(key, text);
  } catch {
    // Private windows may refuse; the next visit then starts afresh.
  }
}

export function pageKeeping(): Keeping {
  const storage = (kind: "sessionStorage" | "localStorage") => {
    try {
      return globalThis[kind];
    } catch {
      return undefined;
    }
  };
  return { tab: storage("sessionStorage"), visits: storage("localStorage") };
}
