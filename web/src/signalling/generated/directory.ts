// Generated from the Rust sources by `cargo xtask types`. Do not edit.
/* eslint-disable */
// prettier-ignore

import type { ConversationId, ShareLinkId, Text, Timestamp, Token, UserId } from "./id";
import type { ActiveCall } from "./rest";

/** What a conversation is; calls take place in the first two only. */
export type ConversationType = "direct" | "group" | "public" | "global";

/** What a member may do in a conversation. */
export type MemberRole = "member" | "admin";

/** Logs in by name alone; creates the user if there is none. Development only. */
export type DevLoginRequest = {
  /** The name. */
  username: Text,
  /** The language of captions, ISO 639-1. */
  language?: string,
};

/** Logged in. */
export type LoginResponse = {
  /** Opens the gateway. */
  token: Token,
  /** When the token ends. */
  tokenExpiresAt: Timestamp,
  /** Who one is. */
  user: Account,
};

/** One's own account. */
export type Account = {
  /** Who one is. */
  userId: UserId,
  /** The name others see. */
  username: Text,
  /** Where the picture is. */
  avatar?: string,
  /** The language of captions, ISO 639-1. */
  language: string,
};

/** Somebody one can call. */
export type Person = {
  /** Who. */
  userId: UserId,
  /** The name others see. */
  username: Text,
  /** Where the picture is. */
  avatar?: string,
  /** Whether a device is connected. */
  online: boolean,
};

/** A conversation one is a member of. */
export type ConversationDto = {
  /** Which. */
  conversationId: ConversationId,
  /** What it is. */
  type: ConversationType,
  /** Its title; of a direct one the other person's name. */
  title: Text,
  /** What one may do. */
  role: MemberRole,
  /** Who is in it, oneself included. */
  members: Array<Person>,
  /** The live call, if there is one. */
  activeCall?: ActiveCall,
  /** When something last happened. */
  updatedAt: Timestamp,
};

/** Makes a conversation; a direct one that exists already is answered as it is. */
export type CreateConversationRequest = {
  /** What it is to be. */
  type: ConversationType,
  /** Its title; of no effect for a direct one. */
  title?: Text,
  /** Who else is in it; exactly one for a direct one. */
  memberIds: Array<UserId>,
};

/** Makes a link by which guests come in. */
export type CreateLinkRequest = {
  /** When it ends; never if absent. */
  expiresAt?: Timestamp,
  /** How often it can be redeemed; without end if absent. */
  maxUses?: number,
  /** How many guests of it may be in calls at a time; without end if absent. */
  maxConcurrentUsers?: number,
};

/** A link by which guests come in. */
export type ShareLinkDto = {
  /** Which. */
  linkId: ShareLinkId,
  /** What the address of the page holds. */
  token: string,
  /** Path of the page, to be put behind the server's address. */
  path: string,
  /** When it ends. */
  expiresAt?: Timestamp,
};
