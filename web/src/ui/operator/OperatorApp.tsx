import { useEffect } from "react";
import { texts as product } from "../texts";
import { type Heard, OperatorContext, type OperatorServices, useOperator } from "./context";
import { Calls } from "./Calls";
import { ConnectionNote } from "./ConnectionNote";
import { Figures } from "./Figures";
import { Flags } from "./Flags";
import { Head } from "./Head";
import { Nodes } from "./Nodes";
import { Notices } from "./Notices";
import { Plots } from "./Plots";
import { Rollout } from "./Rollout";
import { SignIn } from "./SignIn";
import { Switches } from "./Switches";
import { texts } from "./texts";
import { Turn } from "./Turn";

/** `userId`: of whoever is logged in for calls in this browser. */
export function OperatorApp({ operator, userId }: { operator: OperatorServices; userId: string | null }) {
  useEffect(() => {
    document.title = `${texts.title} · ${product.product}`;
  }, []);
  return (
    <OperatorContext value={operator}>
      <Screen userId={userId} />
      <Notices />
    </OperatorContext>
  );
}

function Screen({ userId }: { userId: string | null }) {
  const { session, overview, heardAt } = useOperator();
  if (session.kind === "out") return <SignIn busy={session.busy} refusal={session.refusal} userId={userId} />;
  const heard = overview === null || heardAt === null ? null : { overview, heardAt };
  return (
    <div className="op" data-testid="operator-screen">
      <a className="skip" href="#page">
        {texts.skip}
      </a>
      <Head heard={heard} />
      <main className="op-main" id="page" tabIndex={-1}>
        <ConnectionNote />
        {heard === null ? <Waiting /> : <Overview heard={heard} />}
      </main>
    </div>
  );
}

/** Nothing heard yet; what is wrong, if something is, stands above. */
function Waiting() {
  const { connection } = useOperator();
  if (connection.kind === "lost") return null;
  return (
    <p className="gate-opening op-waiting" role="status">
      <span className="spinner" aria-hidden="true" />
      {texts.opening}
    </p>
  );
}

function Overview({ heard }: { heard: Heard }) {
  const { history } = useOperator();
  const { overview } = heard;
  return (
    <>
      <Figures overview={overview} />
      <Plots history={history} nodes={overview.nodes.length} />
      <Nodes heard={heard} />
      <Calls heard={heard} />
      <Switches switches={overview.switches} heard={heard} />
      <div className="op-pair">
        <Flags flags={overview.flags} />
        <div className="op-stack">
          <Rollout flags={overview.flags} />
          <Turn servers={overview.turn} />
        </div>
      </div>
    </>
  );
}
