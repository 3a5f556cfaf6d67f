/** What goes between this client and the gateway: generated, and gathered here for those who use it. */
export { GATEWAY_ENDPOINTS, GATEWAY_EVENTS } from "./generated";
export type { GatewayEvents, GatewayRequests } from "./generated";
import type { GatewayRequests } from "./generated";

export type GatewayRequestName = keyof GatewayRequests;
export type Payload<K extends GatewayRequestName> = GatewayRequests[K]["payload"];
export type Answer<K extends GatewayRequestName> = GatewayRequests[K]["ack"];

/** Who one is: a registered user, or a guest who came by a link. */
export type GatewayCredentials = { token: string } | { sessionToken: string };
