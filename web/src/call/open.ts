/** The real connections, for the session: wired to the network, with what the address asks for. */
import { P2pConnection } from "../media/p2p";
import { type RoomFeed, SfuConnection } from "../media/sfu";
import type { ViewBook } from "../media/views";
import { Emitter } from "../emitter";
import type { Gateway } from "../signalling/gateway-socket";
import { NodeRest } from "../signalling/rest";
import type { OpenDirect } from "./direct-way";
import type { Flags } from "./preferences";
import type { OpenSfu } from "./sfu-way";

export interface SfuContext {
  callId: string;
  selfId: string;
  displayName: string;
  feed: Emitter<RoomFeed>;
  views: ViewBook;
  flags: Flags;
  iceServers: () => RTCIceServer[];
}

export type SfuOpener = (context: SfuContext) => OpenSfu;

export const openDirect: OpenDirect = (options) => new P2pConnection(options);

export const sfuOpener: SfuOpener = (context) => (wish) =>
  new SfuConnection({
    rest: new NodeRest({
      base: wish.config.url,
      token: wish.token,
      callId: context.callId,
      participantId: context.selfId,
    }),
    feed: context.feed,
    views: context.views,
    displayName: context.displayName,
    iceServers: context.iceServers(),
    forceTcp: wish.forceTcp,
    relayOnly: wish.relayOnly,
    video: { codec: context.flags.codec, simulcast: context.flags.simulcast },
    active: wish.active,
  });

/** What the gateway passes on from the node, as far as it is about this call. */
export function feedOf(gateway: Gateway, callId: string): { feed: Emitter<RoomFeed>; release: () => void } {
  const feed = new Emitter<RoomFeed>();
  const names = ["new-producer", "producer-closed", "consumer-paused", "consumer-resumed"] as const;
  const releases = names.map((name) =>
    gateway.events.on(name, (event) => {
      if (event.callId === callId) feed.emit(name, event);
    }),
  );
  return { feed, release: () => releases.forEach((release) => release()) };
}
