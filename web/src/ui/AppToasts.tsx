import { useApp, useAppDispatch } from "./context";
import { Icon } from "./icons/Icon";
import { appNoticeText } from "./notice-text";
import { texts } from "./texts";

/** What happened outside a call, said in passing. Read out by the live region. */
export function AppToasts() {
  const { toasts } = useApp();
  const dispatch = useAppDispatch();
  if (toasts.length === 0) return null;
  return (
    <ul className="app-toasts" data-testid="app-toasts">
      {toasts.map((toast) => (
        <li key={toast.id} className="toast" data-kind={toast.kind}>
          <span>{appNoticeText(toast)}</span>
          <button
            type="button"
            className="toast-close"
            aria-label={texts.close}
            onClick={() => dispatch({ type: "toast-dismissed", id: toast.id })}
          >
            <Icon name="close" size={16} />
          </button>
        </li>
      ))}
    </ul>
  );
}
