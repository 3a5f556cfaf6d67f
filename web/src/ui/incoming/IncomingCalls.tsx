import { useEffect, useRef } from "react";
import { conversationOf, type IncomingCall, inCall } from "../../app/state";
import { useApp, useAppDispatch } from "../context";
import { Icon } from "../icons/Icon";
import { Avatar } from "../parts/Avatar";
import { useBorrowedFocus } from "../parts/focus";
import { texts } from "../texts";

/** More cards than this would cover the page; the rest move up as these are answered. */
const MAX_CARDS = 3;

export function IncomingCalls() {
  const app = useApp();
  useRingingTitle(app.incoming[0]?.callerName ?? null);
  if (app.incoming.length === 0) return null;
  const busy = inCall(app);
  return (
    <div className="incoming-stack" aria-live="assertive" data-testid="incoming-stack" data-above-dialogs>
      {app.incoming.slice(0, MAX_CARDS).map((call, index) => (
        <IncomingCard key={call.callId} call={call} first={index === 0} busy={busy} />
      ))}
    </div>
  );
}

interface IncomingCardProps {
  call: IncomingCall;
  /** The one that gets the focus. */
  first: boolean;
  /** Accepting ends the call one is in. */
  busy: boolean;
}

function IncomingCard({ call, first, busy }: IncomingCardProps) {
  const app = useApp();
  const dispatch = useAppDispatch();
  const accept = useRef<HTMLButtonElement>(null);
  const { callId, callerName, callerAvatar } = call;
  const audio = call.type === "audio";
  const conversation = conversationOf(app, call.conversationId);
  const { incoming } = texts;

  // In the middle of a call a key meant for it must not change calls.
  useBorrowedFocus(accept, first && !busy);

  return (
    <div
      className="incoming"
      role="alertdialog"
      aria-label={incoming.label(callerName, audio)}
      data-testid="incoming-call"
      data-call-id={callId}
    >
      <span className="ringing-face">
        <Avatar name={callerName} src={callerAvatar} />
      </span>
      <div className="incoming-who">
        <strong>{callerName}</strong>
        <span>{incoming.call}</span>
        <span className="incoming-type">
          <Icon name={audio ? "phone" : "camera"} size={16} />
          {audio ? incoming.audio : incoming.video}
          {conversation?.type === "group" && <em>{incoming.inGroup(conversation.title)}</em>}
        </span>
      </div>
      <div className="incoming-answers">
        <button
          type="button"
          className="answer answer-decline"
          data-testid="incoming-decline"
          onClick={() => dispatch({ type: "decline-asked", callId })}
        >
          <Icon name="leave" size={26} />
          {incoming.decline}
        </button>
        <button
          ref={accept}
          type="button"
          className="answer answer-accept"
          data-testid="incoming-accept"
          onClick={() => dispatch({ type: "accept-asked", callId })}
        >
          <Icon name={audio ? "phone" : "camera"} size={26} />
          {busy ? incoming.acceptInstead : incoming.accept}
        </button>
      </div>
    </div>
  );
}

/** The tab tells, too. */
function useRingingTitle(caller: string | null): void {
  useEffect(() => {
    if (caller === null) return;
    const before = document.title;
    const title = texts.incoming.title(caller);
    document.title = title;
    return () => {
      if (document.title === title) document.title = before;
    };
  }, [caller]);
}
