import { useCall, useDispatch } from "./context";
import { Logo } from "./parts/Logo";
import { clock, texts } from "./texts";

export function LeftScreen() {
  const { endReason, joinedAt, leftAt, room } = useCall();
  const dispatch = useDispatch();
  const lost = endReason === "lost";
  const lasted = joinedAt !== null && leftAt !== null ? clock(leftAt - joinedAt) : null;
  return (
    <div className="left" data-testid="left-screen">
      <header className="lobby-header">
        <Logo />
      </header>
      <main className="left-main">
        <h1>{lost ? texts.left.lost : texts.left.self}</h1>
        {lost && <p>{texts.left.lostHint}</p>}
        <p className="left-room">
          {texts.left.duration(room)}
          {lasted !== null && <span className="left-clock">{lasted}</span>}
        </p>
        <div className="left-actions">
          <button
            type="button"
            className="button button-primary"
            data-testid="left-rejoin"
            onClick={() => dispatch({ type: "join-asked" })}
            autoFocus
          >
            {texts.left.rejoin}
          </button>
          <button
            type="button"
            className="button button-quiet"
            onClick={() => dispatch({ type: "lobby-asked" })}
          >
            {texts.left.home}
          </button>
        </div>
      </main>
    </div>
  );
}
