import { useState } from "react";
import { type AppState, conversationOf, inCall } from "../../app/state";
import type { Account, CallType, ConversationDto } from "../../signalling/generated";
import { useApp, useAppDispatch } from "../context";
import { Icon } from "../icons/Icon";
import { Avatar } from "../parts/Avatar";
import { canCall } from "../parts/support";
import { texts } from "../texts";
import { CallHistory } from "./CallHistory";
import { CheckDialog } from "./CheckDialog";
import { aboutOf } from "./ConversationList";
import { Members } from "./Members";
import { OngoingBanner } from "./OngoingBanner";
import { peerOf } from "./people";

export function ConversationPage({ id, account }: { id: string; account: Account }) {
  const app = useApp();
  const dispatch = useAppDispatch();
  const [checking, setChecking] = useState(false);
  const conversation = conversationOf(app, id);
  const back = (
    <button
      type="button"
      className="icon-button page-back"
      aria-label={texts.back}
      onClick={() => dispatch({ type: "route-asked", route: { page: "home" } })}
    >
      <Icon name="left" size={24} />
    </button>
  );
  if (conversation === null) {
    return (
      <div className="page-empty">
        {back}
        {app.conversations === null ? (
          <span className="spinner" role="status" aria-label={texts.home.loading} />
        ) : (
          <p>{texts.conversation.missing}</p>
        )}
      </div>
    );
  }
  return (
    <article className="conversation-page" aria-label={conversation.title} data-testid="conversation-page">
      <OngoingBanner conversation={conversation} />
      <header className="page-head">
        {back}
        <span className="page-face">
          <Avatar name={conversation.title} src={peerOf(conversation, account.userId)?.avatar} />
        </span>
        <div className="page-title">
          <h2>{conversation.title}</h2>
          <p>{aboutOf(conversation, account.userId)}</p>
        </div>
        <CallButtons conversation={conversation} selfId={account.userId} />
      </header>
      <div className="page-body">
        <CallHistory conversationId={id} live={conversation.activeCall?.callId ?? null} />
        <aside className="page-side">
          <Members conversation={conversation} selfId={account.userId} />
          <div className="page-tools">
            {conversation.type === "group" && (
              <button
                type="button"
                className="button button-quiet"
                data-testid="copy-invite"
                onClick={() => dispatch({ type: "link-asked", conversationId: id })}
              >
                <Icon name="link" size={20} />
                {texts.conversation.invite}
              </button>
            )}
            <button
              type="button"
              className="button button-quiet"
              data-testid="check-devices"
              onClick={() => setChecking(true)}
            >
              <Icon name="settings" size={20} />
              {texts.conversation.check}
            </button>
          </div>
        </aside>
      </div>
      {checking && <CheckDialog onClose={() => setChecking(false)} />}
    </article>
  );
}

/** Why no call can be started here now, or null. */
export function hindrance(app: AppState, conversation: ConversationDto): string | null {
  const { reason } = texts.conversation;
  if (conversation.type !== "direct" && conversation.type !== "group") return reason.type;
  if (!canCall()) return reason.unsupported;
  if (inCall(app)) return reason.busy;
  if (app.link === "interrupted") return reason.interrupted;
  return null;
}

function CallButtons({ conversation, selfId }: { conversation: ConversationDto; selfId: string }) {
  const app = useApp();
  const dispatch = useAppDispatch();
  const { conversationId, activeCall } = conversation;
  const hindered = hindrance(app, conversation);
  const peer = peerOf(conversation, selfId);
  const warning = hindered ?? (peer?.online === false ? texts.conversation.offline(peer.username) : null);
  const start = (callType: CallType) => dispatch({ type: "call-asked", conversationId, callType });
  return (
    <div className="call-buttons">
      {activeCall !== undefined ? (
        <CallButton
          kind="video"
          primary
          label={texts.conversation.join}
          disabled={hindered !== null}
          testId="call-join"
          onPress={() => dispatch({ type: "join-asked", conversationId, callId: activeCall.callId })}
        />
      ) : (
        <>
          <CallButton
            kind="audio"
            label={texts.conversation.audio}
            disabled={hindered !== null}
            testId="call-audio"
            onPress={() => start("audio")}
          />
          <CallButton
            kind="video"
            primary
            label={texts.conversation.video}
            disabled={hindered !== null}
            testId="call-video"
            onPress={() => start("video")}
          />
        </>
      )}
      {warning !== null && (
        <p className="call-reason" id="call-reason" data-testid="call-reason">
          {warning}
        </p>
      )}
    </div>
  );
}

interface CallButtonProps {
  kind: CallType;
  label: string;
  primary?: boolean;
  disabled: boolean;
  testId: string;
  onPress: () => void;
}

function CallButton({ kind, label, primary = false, disabled, testId, onPress }: CallButtonProps) {
  return (
    <button
      type="button"
      className={`button ${primary ? "button-primary" : "button-soft"} call-button`}
      data-testid={testId}
      disabled={disabled}
      aria-describedby="call-reason"
      onClick={onPress}
    >
      <Icon name={kind === "audio" ? "phone" : "camera"} size={22} />
      <span>{label}</span>
    </button>
  );
}
