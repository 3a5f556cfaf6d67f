import { useCall } from "./context";
import { noticeText } from "./notice-text";

/** Reads out what happens, for people who do not see it. */
export function LiveRegion() {
  const { announcement } = useCall();
  return (
    <div className="visually-hidden" role="status" aria-live="polite">
      {announcement !== null && <span key={announcement.id}>{noticeText(announcement)}</span>}
    </div>
  );
}
