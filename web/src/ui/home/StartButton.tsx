import { useAppDispatch } from "../context";
import { Icon } from "../icons/Icon";
import { texts } from "../texts";

/** Opens the dialogue for a new conversation. */
export function StartButton() {
  const dispatch = useAppDispatch();
  return (
    <button
      type="button"
      className="button button-primary"
      onClick={() => dispatch({ type: "draft-opened" })}
    >
      <Icon name="plus" size={20} />
      {texts.home.start}
    </button>
  );
}
