/**
 * Carries out what the page's reducer asks for, and tells it what happens: gateway, browser history, calls, ringtone.
 *
 * Owns the socket to the gateway, one for each login. Knows no React.
 */
import type { CallPlace, CallState } from "../call/state";
import type { CallType, ConversationDto, TrackedLink } from "../signalling/generated";
import { GatewayRest, type Rest } from "../signalling/gateway-rest";
import { type Gateway, GatewaySocket, type GatewaySocketOptions } from "../signalling/gateway-socket";
import type { GatewayCredentials } from "../signalling/gateway-wire";
import type { AppEffect } from "./actions";
import { problemOf } from "./problem";
import { isInPassing } from "./reducer";
import {
  forgetGuest,
  forgetLogin,
  keepGuest,
  keepLogin,
  keepLoginInTab,
  type Keeping,
  type Login,
  rememberedGuest,
  rememberedLogin,
} from "./remembered";
import type { Ringtone } from "./ringtone";
import { pathOf, type Route, routeOf } from "./route";
import { conversationOf, type IncomingCall, rings } from "./state";
import type { AppStore } from "./store";
import { type Wishes, NO_WISHES } from "./wishes";

/** What the application needs of the call session. */
export interface Calls {
  readonly state: () => CallState;
  readonly subscribe: (listener: () => void) => () => void;
  /** Speak through this gateway from now on; null after logging out. */
  attach: (gateway: Gateway | null, rest: Rest) => void;
  /** No connection but through a TURN server. */
  requireRelay: () => void;
  identify: (userId: string | null, name: string, avatar: string | null) => void;
  start: (place: CallPlace, type: CallType) => void;
  join: (place: CallPlace, callId: string, type: CallType) => void;
  /** Puts the outcome of the last call away. */
  dismissOutcome: () => void;
}

/** What the application reaches out to; tests bring their own. */
export interface Outside {
  keeping: Keeping;
  rest: (credentials: () => GatewayCredentials | null) => Rest;
  gateway: (options: GatewaySocketOptions) => Gateway;
  ringtone: Pick<Ringtone, "start" | "stop" | "unlock">;
  /** Puts a path into the address bar. */
  show: (path: string) => void;
  copy: (text: string) => Promise<void>;
  origin: string;
}

/** How often a waiting guest asks for the call, besides being told. */
const GUEST_POLL = 10_000;
/** Typing is let finish before people are looked for. */
const SEARCH_PAUSE = 200;
const HISTORY_PAGE = 20;

export class Application {
  readonly #store: AppStore;
  readonly #calls: Calls;
  readonly #outside: Outside;
  readonly #rest: Rest;
  #wishes: Wishes;
  #credentials: GatewayCredentials | null = null;
  #gateway: Gateway | null = null;
  #searching: ReturnType<typeof setTimeout> | undefined;
  #guestPoll: ReturnType<typeof setInterval> | undefined;
  #loading = 0;
  #lastPlace: CallPlace | null = null;

  constructor(store: AppStore, calls: Calls, outside: Outside, wishes: Wishes = NO_WISHES) {
    this.#store = store;
    this.#calls = calls;
    this.#outside = outside;
    this.#wishes = wishes;
    this.#rest = outside.rest(() => this.#credentials);
    store.perform((effect) => this.#perform(effect));
    store.subscribe(() => this.#ring());
    calls.subscribe(() => this.#followCall());
  }

  open(): void {
    this.#store.dispatch({ type: "opened" });
  }

  /** The browser's back and forward buttons. */
  addressChanged(pathname: string): void {
    this.#store.dispatch({ type: "route-changed", route: routeOf(pathname) });
  }

  /** A touch or key: sound may be played from now on. */
  touched(): void {
    this.#outside.ringtone.unlock();
  }

  /** Kilobits a second from the server to here; 0 if it cannot be told. */
  measureSpeed(): Promise<number> {
    return this.#rest.bandwidthTest();
  }

  #perform(effect: AppEffect): void {
    switch (effect.type) {
      case "load-config":
        void this.#loadConfig();
        break;
      case "restore-login":
        void this.#restoreLogin();
        break;
      case "login":
        void this.#login(effect.name, effect.language, "visits");
        break;
      case "connect":
        this.#connect();
        break;
      case "logout":
        this.#logout();
        break;
      case "load-conversations":
        void this.#loadConversations();
        break;
      case "load-history":
        void this.#loadHistory(effect.conversationId, effect.offset);
        break;
      case "search":
        this.#search(effect.query);
        break;
      case "create-conversation":
        void this.#createConversation(effect.memberIds, effect.title);
        break;
      case "make-link":
        void this.#makeLink(effect.conversationId);
        break;
      case "copy":
        void this.#copy(effect.text);
        break;
      case "show-route":
        this.#outside.show(pathOf(effect.route));
        break;
      case "start-call":
        this.#start(effect.conversation, effect.callType);
        break;
      case "join-call":
        this.#join(placeOf(effect.conversation), effect.callId, effect.callType);
        break;
      case "decline":
        this.#gateway
          ?.request("call:reject", { callId: effect.callId, reason: "declined" })
          .catch(() => undefined);
        break;
      case "open-link":
        void this.#openLink(effect.token);
        break;
      case "enter-as-guest":
        void this.#enterAsGuest(effect);
        break;
      case "watch-guest-call":
        this.#watchGuestCall(effect.conversationId);
        break;
      case "join-as-guest":
        this.#join(guestPlace(effect.link), effect.callId, "video");
        break;
      case "later":
        setTimeout(() => this.#store.dispatch(effect.action), effect.milliseconds);
        break;
    }
  }

  async #loadConfig(): Promise<void> {
    const config = await this.#rest.config().catch(() => null);
    if (config === null) return;
    if (config.relayOnly) this.#calls.requireRelay();
    this.#store.dispatch({ type: "config-loaded", config });
  }

  async #restoreLogin(): Promise<void> {
    const { login: name } = this.#wishes;
    const login = rememberedLogin(this.#outside.keeping, Date.now());
    if (name !== null && login?.user.username !== name) {
      await this.#login(name, this.#store.state().language, "tab");
      return;
    }
    if (login === null) {
      this.#store.dispatch({ type: "logged-out", problem: null });
      return;
    }
    this.#loggedIn(login);
  }

  async #login(name: string, language: string, keep: "tab" | "visits"): Promise<void> {
    try {
      const login = await this.#rest.login(name, language);
      if (keep === "tab") keepLoginInTab(this.#outside.keeping, login);
      else keepLogin(this.#outside.keeping, login);
      this.#loggedIn(login);
    } catch (error) {
      this.#store.dispatch({ type: "logged-out", problem: problemOf(error) });
    }
  }

  #loggedIn({ token, user }: Login): void {
    this.#credentials = { token };
    this.#calls.identify(user.userId, user.username, user.avatar ?? null);
    this.#store.dispatch({ type: "logged-in", account: user });
  }

  #logout(): void {
    this.#disconnect();
    this.#credentials = null;
    forgetLogin(this.#outside.keeping);
    this.#calls.identify(null, "", null);
  }

  #disconnect(): void {
    clearInterval(this.#guestPoll);
    this.#calls.attach(null, this.#rest);
    this.#gateway?.close();
    this.#gateway = null;
  }

  #connect(): void {
    const credentials = this.#credentials;
    if (credentials === null) return;
    this.#disconnect();
    const language = () => this.#store.state().language;
    const gateway = this.#outside.gateway({ credentials: () => credentials, language });
    this.#gateway = gateway;
    this.#calls.attach(gateway, this.#rest);
    this.#listen(gateway);
  }

  #listen({ events }: Gateway): void {
    const { dispatch } = this.#store;
    events.on("link", (link) => dispatch({ type: "link-changed", link }));
    events.on("directory:changed", () => dispatch({ type: "directory-changed" }));
    events.on("directory:presence", ({ userId, online }) =>
      dispatch({ type: "presence-changed", userId, online }),
    );
    events.on("call:ongoing", (ongoing) => dispatch({ type: "ongoing-changed", ongoing }));
    events.on("call:incoming", ({ callId, conversationId, type, caller, expiresAt }) => {
      const until = Date.parse(expiresAt);
      this.#ringing({
        callId,
        conversationId,
        type,
        callerName: caller.username,
        callerAvatar: caller.avatar ?? null,
        expiresAt: until,
      });
    });
    events.on("call:answered-elsewhere", ({ callId }) =>
      dispatch({ type: "ring-ended", callId, missed: false }),
    );
    events.on("call:ended", ({ callId, reason }) => {
      dispatch({ type: "ring-ended", callId, missed: reason === "missed" || reason === "cancelled" });
    });
  }

  #ringing(call: IncomingCall): void {
    this.#store.dispatch({ type: "ringing", call });
    const left = Math.max(0, call.expiresAt - Date.now());
    // The gateway tells when ringing ends; this is for the case that the news does not come through.
    setTimeout(
      () => this.#store.dispatch({ type: "ring-ended", callId: call.callId, missed: true }),
      left + 1000,
    );
  }

  #ring(): void {
    if (rings(this.#store.state())) this.#outside.ringtone.start();
    else this.#outside.ringtone.stop();
  }

  async #loadConversations(): Promise<void> {
    this.#loading += 1;
    const mine = this.#loading;
    try {
      const conversations = await this.#rest.conversations();
      // Of answers that overtake each other only the newest counts.
      if (mine !== this.#loading || this.#credentials === null) return;
      this.#store.dispatch({ type: "conversations-loaded", conversations });
      this.#autojoin();
    } catch (error) {
      if (mine !== this.#loading) return;
      const problem = problemOf(error);
      if (problem === "expired") this.#store.dispatch({ type: "logged-out", problem });
      else this.#store.dispatch({ type: "conversations-failed", problem });
    }
  }

  async #loadHistory(conversationId: string, offset: number): Promise<void> {
    try {
      const page = await this.#rest.history(conversationId, { limit: HISTORY_PAGE, offset });
      this.#store.dispatch({ type: "history-loaded", conversationId, page });
    } catch (error) {
      this.#store.dispatch({ type: "history-failed", conversationId, problem: problemOf(error) });
    }
  }

  #search(query: string): void {
    clearTimeout(this.#searching);
    this.#searching = setTimeout(
      () => {
        this.#rest.users(query).then(
          (people) => this.#store.dispatch({ type: "people-found", query, people }),
          (error: unknown) => this.#store.dispatch({ type: "draft-failed", problem: problemOf(error) }),
        );
      },
      query === "" ? 0 : SEARCH_PAUSE,
    );
  }

  async #createConversation(memberIds: string[], title: string): Promise<void> {
    try {
      const conversation = await this.#rest.createConversation(
        memberIds.length === 1 ? { type: "direct", memberIds } : { type: "group", title, memberIds },
      );
      this.#store.dispatch({ type: "conversation-made", conversation });
    } catch (error) {
      this.#store.dispatch({ type: "draft-failed", problem: problemOf(error) });
    }
  }

  async #makeLink(conversationId: string): Promise<void> {
    try {
      const { path } = await this.#rest.createLink(conversationId);
      this.#store.dispatch({ type: "link-made", conversationId, url: this.#outside.origin + path });
    } catch {
      this.#store.dispatch({ type: "noticed", kind: "link-failed" });
    }
  }

  async #copy(text: string): Promise<void> {
    try {
      await this.#outside.copy(text);
      this.#store.dispatch({ type: "noticed", kind: "link-copied" });
    } catch {
      this.#store.dispatch({ type: "noticed", kind: "copy-failed", name: text });
    }
  }

  #start(conversation: ConversationDto, type: CallType): void {
    this.#lastPlace = placeOf(conversation);
    this.#calls.start(this.#lastPlace, type);
  }

  #join(place: CallPlace, callId: string, type: CallType): void {
    this.#lastPlace = place;
    this.#calls.join(place, callId, type);
  }

  /** `?autojoin=1`: the call of the page begins, or is joined, by itself; once. */
  #autojoin(): void {
    const { route } = this.#store.state();
    if (!this.#wishes.autojoin || route.page !== "conversation") return;
    const conversation = conversationOf(this.#store.state(), route.conversationId);
    if (conversation === null) return;
    const { callType } = this.#wishes;
    this.#wishes = NO_WISHES;
    const live = conversation.activeCall;
    if (live === undefined) this.#start(conversation, callType);
    else this.#join(placeOf(conversation), live.callId, callType);
  }

  #followCall(): void {
    const call = this.#calls.state();
    const before = this.#store.state();
    const callId = call.call?.callId ?? null;
    if (call.phase === before.callPhase && callId === before.callId) return;
    this.#store.dispatch({ type: "call-changed", phase: call.phase, callId });
    if (call.phase === "ended" && before.callPhase !== "ended") this.#callEnded(call);
  }

  #callEnded({ outcome, call }: CallState): void {
    if (outcome === null) return;
    // Guests have nowhere else to go: they always see how it went.
    const shown = this.#store.state().guest !== null || !isInPassing(outcome.kind);
    const conversationId = call?.conversationId ?? this.#lastPlace?.conversationId ?? "";
    this.#store.dispatch({ type: "call-over", conversationId, outcome, shown });
    if (!shown) this.#calls.dismissOutcome();
  }

  async #openLink(token: string): Promise<void> {
    const pass = rememberedGuest(this.#outside.keeping, token);
    if (pass !== null) {
      this.#guestInside(pass.sessionToken, pass.username, pass.link);
      return;
    }
    try {
      this.#store.dispatch({ type: "guest-link-opened", link: await this.#rest.trackedLink(token) });
    } catch (error) {
      this.#store.dispatch({ type: "guest-failed", problem: problemOf(error), step: "closed" });
    }
  }

  async #enterAsGuest(effect: Extract<AppEffect, { type: "enter-as-guest" }>): Promise<void> {
    const { link, firstName, lastName, language } = effect;
    try {
      const answer = await this.#rest.joinAnonymous(link.conversationId, {
        firstName,
        lastName: lastName === "" ? undefined : lastName,
        language,
        shareLinkId: link.linkId,
      });
      const pass = { sessionToken: answer.sessionToken, username: answer.username, link };
      const linkToken = this.#guestLinkToken();
      if (linkToken !== null) keepGuest(this.#outside.keeping, linkToken, pass);
      this.#guestInside(pass.sessionToken, pass.username, link);
    } catch (error) {
      this.#store.dispatch({ type: "guest-failed", problem: problemOf(error), step: "form" });
    }
  }

  #guestInside(sessionToken: string, username: string, link: TrackedLink): void {
    this.#credentials = { sessionToken };
    this.#calls.identify(null, username, null);
    this.#store.dispatch({ type: "guest-inside", link, username });
  }

  #guestLinkToken(): string | null {
    const route: Route = this.#store.state().route;
    return route.page === "guest" ? route.linkToken : null;
  }

  #watchGuestCall(conversationId: string): void {
    const look = async () => {
      try {
        const call = await this.#rest.activeCall(conversationId);
        const callId = call?.callId ?? null;
        const participantCount = call?.participantCount ?? 0;
        this.#store.dispatch({ type: "guest-call-changed", callId, participantCount });
      } catch (error) {
        // A pass of yesterday: the link is asked again.
        if (problemOf(error) === "expired" || problemOf(error) === "refused") this.#guestExpired();
      }
    };
    clearInterval(this.#guestPoll);
    this.#guestPoll = setInterval(() => void look(), GUEST_POLL);
    void look();
  }

  #guestExpired(): void {
    const token = this.#guestLinkToken();
    if (token === null) return;
    forgetGuest(this.#outside.keeping, token);
    this.#disconnect();
    this.#credentials = null;
    this.#store.dispatch({ type: "guest-retried" });
  }
}

function placeOf({ conversationId, title, type, role }: ConversationDto): CallPlace {
  return { conversationId, title, conversationType: type, admin: role === "admin", mayShareScreen: true };
}

function guestPlace({ conversationId, title, permissions }: TrackedLink): CallPlace {
  return {
    conversationId,
    title,
    conversationType: "group",
    admin: false,
    mayShareScreen: permissions.shareScreen,
  };
}

/** The real things, for the page. */
export function browserOutside(keeping: Keeping, ringtone: Outside["ringtone"]): Outside {
  return {
    keeping,
    ringtone,
    rest: (credentials) => new GatewayRest(credentials),
    gateway: (options) => new GatewaySocket(options),
    show: (path) => window.history.pushState(null, "", path + window.location.search),
    copy: async (text) => {
      const clipboard = (navigator as { clipboard?: Clipboard }).clipboard;
      // Pages without a secure context have no clipboard.
      if (clipboard === undefined) throw new Error("no clipboard");
      await clipboard.writeText(text);
    },
    origin: window.location.origin,
  };
}
