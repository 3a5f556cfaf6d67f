import type { Notice } from "../../operator/state";
import { useOperator } from "./context";
import { texts } from "./texts";

/** Says what changed, once: to be read out, and to be seen for a moment. */
export function Notices() {
  const { notice } = useOperator();
  return (
    <div className="op-notices" role="status" aria-live="polite" data-testid="operator-notice">
      {notice !== null && (
        <span key={notice.id} className="toast op-toast">
          {noticeText(notice)}
        </span>
      )}
    </div>
  );
}

function noticeText({ kind, name }: Notice): string {
  return texts.notice[kind](texts.flags.names[name]?.[0] ?? name);
}
