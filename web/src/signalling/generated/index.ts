// Generated from the Rust sources by `cargo xtask types`. Do not edit.
/* eslint-disable */
// prettier-ignore

export * from "./rtp";
export * from "./id";
export * from "./error";
export * from "./clientNode";
export * from "./gatewayNode";
export * from "./call";
export * from "./request";
export * from "./event";
export * from "./rest";
export * from "./directory";
export * from "./admin";
export * from "./names";
