/** The operator's page: a chunk of its own, so that people who call need not fetch it. */
import { createRoot } from "react-dom/client";
import { pageKeeping, rememberedLogin } from "../../app/remembered";
import { browserOutside, Operator } from "../../operator/operator";
import "../styles/operator-tables.css";
import "../styles/operator.css";
import "../styles/plot.css";
import { OperatorApp } from "./OperatorApp";

export function openOperator(root: HTMLElement): void {
  const keeping = pageKeeping();
  const operator = new Operator(browserOutside(keeping.tab));
  // Whoever is logged in for calls here sees their own id in the command that makes a token.
  const userId = rememberedLogin(keeping, Date.now())?.user.userId ?? null;
  createRoot(root).render(<OperatorApp operator={operator} userId={userId} />);
  operator.open();
}
