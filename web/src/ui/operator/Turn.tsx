import type { AdminTurn, TurnState } from "../../signalling/generated";
import { Badge, type BadgeLook } from "./Badge";
import { Empty } from "./Empty";
import { texts } from "./texts";

const LOOKS: Record<TurnState, BadgeLook> = { up: "good", down: "bad", unknown: "plain" };

export function Turn({ servers }: { servers: readonly AdminTurn[] }) {
  const { title, none, noneText, state: states } = texts.turn;
  return (
    <section className="op-section" aria-labelledby="op-turn">
      <h2 id="op-turn">{title}</h2>
      {servers.length === 0 ? (
        <Empty title={none} text={noneText} />
      ) : (
        <ul className="op-list" data-testid="turn">
          {servers.map(({ url, state }) => (
            <li key={url}>
              <code>{url}</code>
              <Badge look={LOOKS[state]}>{states[state]}</Badge>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
