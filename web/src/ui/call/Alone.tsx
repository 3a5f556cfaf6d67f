import { useApp, useAppDispatch, useCall } from "../context";
import { Icon } from "../icons/Icon";
import { texts } from "../texts";

/** Nobody else is here: the one thing to do is to ask somebody in. */
export function Alone() {
  const { call } = useCall();
  const { guest } = useApp();
  const dispatch = useAppDispatch();
  const invites = call?.conversationType === "group" && guest === null;
  return (
    <div className="alone" role="status">
      <div>
        <h2>{texts.call.aloneTitle}</h2>
        <p>{texts.call.aloneText}</p>
      </div>
      {invites && (
        <button
          type="button"
          className="button button-primary"
          onClick={() => dispatch({ type: "link-asked", conversationId: call.conversationId })}
        >
          <Icon name="link" size={20} />
          {texts.conversation.invite}
        </button>
      )}
    </div>
  );
}
