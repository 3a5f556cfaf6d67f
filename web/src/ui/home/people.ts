/** Who is who in a conversation. */
import type { ConversationDto, Person } from "../../signalling/generated";

/** The other person of a direct conversation. */
export function peerOf(conversation: ConversationDto, selfId: string): Person | null {
  if (conversation.type !== "direct") return null;
  return conversation.members.find((member) => member.userId !== selfId) ?? null;
}

export function onlineOthers(conversation: ConversationDto, selfId: string): number {
  return conversation.members.filter((member) => member.online && member.userId !== selfId).length;
}
