import type { Link } from "../../call/state";
import { useCall } from "../context";
import { Icon } from "../icons/Icon";
import { Mark } from "../parts/Logo";
import { QualityBars } from "../parts/QualityBars";
import { useNow } from "../parts/useNow";
import { clock, texts } from "../texts";

export function TopBar() {
  const { call, participants, link, quality, audioOnly } = useCall();
  const title = call?.title ?? "";
  const startedAt = call?.startedAt ?? null;
  const present = participants.filter((person) => person.presence !== "left").length + 1;
  return (
    <header className="top-bar">
      <Mark size={28} />
      <h1 className="top-bar-room" title={title}>
        {title}
      </h1>
      <span className="top-bar-facts">
        <span className="fact" data-testid="people-count">
          <Icon name="person" size={16} />
          {texts.call.people(present)}
        </span>
        {(call?.type === "audio" || audioOnly) && (
          <span className="fact fact-type">
            <Icon name="audioOnly" size={16} />
            {audioOnly ? texts.controls.audioOnly : texts.call.audioCall}
          </span>
        )}
        {startedAt !== null && <Elapsed since={startedAt} />}
      </span>
      <ConnectionStatus link={link} />
      {link === "connected" && quality !== null && <QualityBars quality={quality} />}
    </header>
  );
}

function Elapsed({ since }: { since: number }) {
  const now = useNow();
  return (
    <span className="fact fact-clock" role="timer" aria-live="off" data-testid="call-clock">
      {clock(now - since)}
    </span>
  );
}

function ConnectionStatus({ link }: { link: Link }) {
  return (
    <span className={`status status-${link}`} data-testid="connection-status" data-status={link}>
      {link === "connected" ? (
        <i className="status-dot" aria-hidden="true" />
      ) : (
        <span className="spinner" aria-hidden="true" />
      )}
      <span className="status-text">{texts.link[link]}</span>
    </span>
  );
}
