import type { ConversationDto } from "../../signalling/generated";
import { useApp, useAppDispatch } from "../context";
import { Icon } from "../icons/Icon";
import { useNow } from "../parts/useNow";
import { texts, wideClock } from "../texts";
import { hindrance } from "./ConversationPage";

/** A call goes on in this conversation without the user: how long, how many, and the way in. */
export function OngoingBanner({ conversation }: { conversation: ConversationDto }) {
  const app = useApp();
  const dispatch = useAppDispatch();
  const now = useNow();
  const { activeCall, conversationId } = conversation;
  if (activeCall === undefined) return null;
  const { callId, participantCount, startedAt } = activeCall;
  const elsewhere = app.callId === callId || app.incoming.some((call) => call.callId === callId);
  if (elsewhere || app.dismissed.includes(callId)) return null;
  const facts =
    startedAt === null
      ? texts.conversation.bannerRinging
      : texts.conversation.banner(participantCount, wideClock(now - Date.parse(startedAt)));
  return (
    <section className="banner" aria-label={texts.conversation.bannerTitle} data-testid="ongoing-banner">
      <span className="banner-icon" aria-hidden="true">
        <Icon name="phone" size={20} />
      </span>
      <p className="banner-text" role="timer" aria-live="off">
        {facts}
      </p>
      <button
        type="button"
        className="button banner-join"
        data-testid="banner-join"
        disabled={hindrance(app, conversation) !== null}
        onClick={() => dispatch({ type: "join-asked", conversationId, callId })}
      >
        {texts.conversation.bannerJoin}
      </button>
      <button
        type="button"
        className="button banner-dismiss"
        data-testid="banner-dismiss"
        onClick={() => dispatch({ type: "banner-dismissed", callId })}
      >
        {texts.conversation.bannerDismiss}
      </button>
    </section>
  );
}
