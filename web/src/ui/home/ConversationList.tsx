import type { MouseEvent } from "react";
import { pathOf, type Route } from "../../app/route";
import type { ConversationDto } from "../../signalling/generated";
import { useApp, useAppDispatch } from "../context";
import { Icon } from "../icons/Icon";
import { Avatar } from "../parts/Avatar";
import { useNow } from "../parts/useNow";
import { moment, texts } from "../texts";
import { onlineOthers, peerOf } from "./people";
import { StartButton } from "./StartButton";

export function ConversationList({ selfId, open }: { selfId: string; open: string | null }) {
  const { conversations, conversationsProblem } = useApp();
  const dispatch = useAppDispatch();
  const now = useNow(30_000);
  if (conversations === null) {
    if (conversationsProblem === null) return <Loading />;
    return (
      <div className="side-note" role="alert">
        <p>{texts.problem[conversationsProblem]}</p>
        <button
          type="button"
          className="button button-quiet"
          onClick={() => dispatch({ type: "reload-asked" })}
        >
          {texts.retry}
        </button>
      </div>
    );
  }
  if (conversations.length === 0) {
    return (
      <div className="side-note">
        <h2>{texts.home.emptyTitle}</h2>
        <p>{texts.home.emptyText}</p>
        <StartButton />
      </div>
    );
  }
  return (
    <ul className="conversations" data-testid="conversations">
      {conversations.map((conversation) => (
        <li key={conversation.conversationId}>
          <Entry
            conversation={conversation}
            selfId={selfId}
            current={conversation.conversationId === open}
            now={now}
          />
        </li>
      ))}
    </ul>
  );
}

function Loading() {
  return (
    <div className="side-loading" role="status">
      <span className="visually-hidden">{texts.home.loading}</span>
      {[0, 1, 2, 3].map((index) => (
        <span key={index} className="ghost" aria-hidden="true" />
      ))}
    </div>
  );
}

interface EntryProps {
  conversation: ConversationDto;
  selfId: string;
  current: boolean;
  now: number;
}

function Entry({ conversation, selfId, current, now }: EntryProps) {
  const dispatch = useAppDispatch();
  const route: Route = { page: "conversation", conversationId: conversation.conversationId };
  const peer = peerOf(conversation, selfId);
  const live = conversation.activeCall;
  const open = (event: MouseEvent) => {
    // A click with a modifier opens another tab, as links do.
    if (event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    dispatch({ type: "route-asked", route });
  };
  return (
    <a
      className={`conversation${current ? " conversation-current" : ""}`}
      href={pathOf(route)}
      aria-current={current ? "page" : undefined}
      data-testid="conversation-item"
      data-conversation-id={conversation.conversationId}
      onClick={open}
    >
      <span className="conversation-face">
        <Avatar name={conversation.title} src={peer?.avatar} />
        {peer?.online === true && <i className="presence" title={texts.home.online} />}
      </span>
      <span className="conversation-name">{conversation.title}</span>
      <time className="conversation-time" dateTime={conversation.updatedAt}>
        {moment(conversation.updatedAt, now)}
      </time>
      <span className="conversation-about">{aboutOf(conversation, selfId)}</span>
      {live !== undefined && (
        <span className="live" data-testid="live-marker">
          <Icon name="phone" size={14} />
          <span className="visually-hidden">{texts.home.liveCall(live.participantCount)}</span>
          <span aria-hidden="true">{texts.home.live}</span>
        </span>
      )}
    </a>
  );
}

export function aboutOf(conversation: ConversationDto, selfId: string): string {
  const peer = peerOf(conversation, selfId);
  if (peer !== null) return peer.online ? texts.home.online : texts.home.offline;
  const members = texts.home.members(conversation.members.length);
  const online = onlineOthers(conversation, selfId);
  return online === 0 ? members : `${members} · ${texts.home.onlineCount(online)}`;
}
