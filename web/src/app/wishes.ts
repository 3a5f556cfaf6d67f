/** What the address asks for beyond a place: `?login=<name>`, `?autojoin=1`, `?type=audio`. For tests and trying out. */
import type { CallType } from "../signalling/generated";

export interface Wishes {
  /** Log in under this name, in this tab only; where the installation allows it. */
  login: string | null;
  autojoin: boolean;
  callType: CallType;
}

export const NO_WISHES: Wishes = { login: null, autojoin: false, callType: "video" };

export function readWishes(query: URLSearchParams): Wishes {
  const login = query.get("login")?.trim() ?? "";
  return {
    login: login === "" ? null : login,
    autojoin: query.get("autojoin") === "1",
    callType: query.get("type") === "audio" ? "audio" : "video",
  };
}
