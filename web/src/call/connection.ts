/** From a lobby ticket to a connection: token, REST, socket and media wired together. */
import { SfuConnection } from "../media/sfu";
import type { ViewBook } from "../media/views";
import type { LobbyClient } from "../signalling/lobby";
import { NodeRest } from "../signalling/rest";
import { NodeSocket } from "../signalling/socket";
import { TokenKeeper } from "../signalling/token";
import type { LobbyTicket } from "../signalling/wire";
import type { Flags } from "./preferences";

/** A connection and what has to be let go of together with it. */
export interface Connection {
  sfu: Pick<
    SfuConnection,
    | "events"
    | "join"
    | "leave"
    | "stats"
    | "noteFrame"
    | "setMuted"
    | "setMicrophone"
    | "setCamera"
    | "setScreen"
  >;
  tokens: Pick<TokenKeeper, "close">;
}

export type OpenConnection = (ticket: LobbyTicket, displayName: string) => Connection;

export function connectionOpener(lobby: LobbyClient, views: ViewBook, flags: Flags): OpenConnection {
  return (ticket, displayName) => {
    const tokens = new TokenKeeper(ticket, (token) => lobby.refresh(token));
    const membership = { callId: ticket.callId, participantId: ticket.participantId };
    const token = () => tokens.current;
    const base = ticket.url;
    const sfu = new SfuConnection({
      rest: new NodeRest({ base, token, ...membership }),
      socket: new NodeSocket({ base, membership, token, refreshToken: () => tokens.refresh() }),
      views,
      displayName,
      iceServers: ticket.iceServers,
      forceTcp: flags.forceTcp,
      video: { codec: flags.codec, simulcast: flags.simulcast },
    });
    return { sfu, tokens };
  };
}
