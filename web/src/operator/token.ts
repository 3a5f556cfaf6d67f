/** The operator's token: in this tab only, gone with it. */

const KEY = "meeshy.operator";

export function rememberedToken(tab: Storage | undefined): string | null {
  try {
    return tab?.getItem(KEY) ?? null;
  } catch {
    return null;
  }
}

/** Null forgets it. */
export function keepToken(tab: Storage | undefined, token: string | null): void {
  try {
    if (token === null) tab?.removeItem(KEY);
    else tab?.setItem(KEY, token);
  } catch {
    // Private windows may refuse; after a reload the token is asked for again.
  }
}

/** What was pasted, without what often comes along: quotes, line breaks, `Bearer`. */
export function tidyToken(pasted: string): string {
  return pasted
    .replaceAll(/\s+/g, " ")
    .trim()
    .replace(/^["']|["']$/g, "")
    .replace(/^(authorization:\s*)?bearer\s+/i, "")
    .replaceAll(" ", "");
}

/** Whether it has the shape of a token at all; the server decides about the rest. */
export function looksLikeToken(token: string): boolean {
  return /^[\w-]+\.[\w-]+\.[\w-]+$/.test(token);
}

/** When it ends, milliseconds since the epoch; null if it does not say. Only for showing: nothing is verified here. */
export function endOfToken(token: string): number | null {
  try {
    const part = (token.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/");
    const claims = JSON.parse(atob(part)) as { exp?: unknown };
    return typeof claims.exp === "number" && Number.isFinite(claims.exp) ? claims.exp * 1000 : null;
  } catch {
    return null;
  }
}
