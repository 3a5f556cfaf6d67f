import { useEffect, useState } from "react";
import type { Link } from "../../call/state";
import { useCall } from "../context";
import { Icon } from "../icons/Icon";
import { Mark } from "../parts/Logo";
import { clock, texts } from "../texts";

export function TopBar() {
  const { room, participants, joinedAt, link } = useCall();
  return (
    <header className="top-bar">
      <Mark size={28} />
      <h1 className="top-bar-room" title={room}>
        {room}
      </h1>
      <span className="top-bar-facts">
        <span className="fact" data-testid="people-count">
          <Icon name="person" size={16} />
          {texts.call.people(participants.length + 1)}
        </span>
        {joinedAt !== null && <Elapsed since={joinedAt} />}
      </span>
      <ConnectionStatus link={link} />
    </header>
  );
}

function Elapsed({ since }: { since: number }) {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return (
    <span className="fact fact-clock" role="timer" aria-live="off">
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
