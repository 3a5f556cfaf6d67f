import { useCall } from "../context";
import { noticeText } from "../notice-text";

/** Seen here, read out by the live region. */
export function Toasts() {
  const { toasts } = useCall();
  return (
    <ul className="toasts" aria-hidden="true">
      {toasts.map((toast) => (
        <li key={toast.id} className={`toast toast-${toast.kind}`}>
          {noticeText(toast)}
        </li>
      ))}
    </ul>
  );
}
