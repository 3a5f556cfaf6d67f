import { useApp, useCall } from "./context";
import { appNoticeText, noticeText } from "./notice-text";

/** Reads out what happens, for people who do not see it. */
export function LiveRegion() {
  const { announcement } = useCall();
  const { announcement: outside } = useApp();
  return (
    <>
      <div className="visually-hidden" role="status" aria-live="polite" data-testid="announcement">
        {announcement !== null && <span key={announcement.id}>{noticeText(announcement)}</span>}
      </div>
      <div className="visually-hidden" role="status" aria-live="polite">
        {outside !== null && <span key={outside.id}>{appNoticeText(outside)}</span>}
      </div>
    </>
  );
}
