import type { Draft } from "../../app/state";
import type { Person } from "../../signalling/generated";
import { useApp, useAppDispatch } from "../context";
import { Icon } from "../icons/Icon";
import { Avatar } from "../parts/Avatar";
import { Dialog } from "../parts/Dialog";
import { Field } from "../parts/Field";
import { texts } from "../texts";
import { MAX_NAME } from "../LoginScreen";
import { suggestedTitle } from "../../app/draft";

export function NewConversation({ draft }: { draft: Draft }) {
  const dispatch = useAppDispatch();
  const { picked, busy, problem } = draft;
  return (
    <Dialog
      title={texts.draft.title}
      look="window"
      testId="draft-dialog"
      onClose={() => dispatch({ type: "draft-closed" })}
    >
      <form
        className="draft"
        onSubmit={(event) => {
          event.preventDefault();
          dispatch({ type: "draft-submitted" });
        }}
      >
        <Field label={texts.draft.search}>
          {(field) => (
            <span className="search">
              <Icon name="search" size={20} />
              <input
                {...field}
                data-testid="draft-search"
                data-first-focus
                type="search"
                value={draft.query}
                maxLength={MAX_NAME}
                placeholder={texts.draft.searchPlaceholder}
                autoComplete="off"
                onChange={(event) => dispatch({ type: "draft-searched", query: event.target.value })}
              />
            </span>
          )}
        </Field>
        <Picked picked={picked} />
        <Found draft={draft} />
        {picked.length > 1 && (
          <Field label={texts.draft.groupName}>
            {(field) => (
              <input
                {...field}
                data-testid="draft-title"
                value={draft.title}
                maxLength={MAX_NAME}
                placeholder={suggestedTitle(draft)}
                autoComplete="off"
                onChange={(event) => dispatch({ type: "draft-titled", title: event.target.value })}
              />
            )}
          </Field>
        )}
        {problem !== null && (
          <p className="form-problem" role="alert">
            <Icon name="warning" size={20} />
            {texts.problem[problem]}
          </p>
        )}
        <button
          type="submit"
          className="button button-primary button-large"
          data-testid="draft-create"
          disabled={picked.length === 0 || busy}
        >
          {busy ? texts.draft.creating : submitLabel(picked)}
        </button>
      </form>
    </Dialog>
  );
}

function submitLabel(picked: Person[]): string {
  const first = picked[0];
  if (first === undefined) return texts.draft.pickSomebody;
  // The group has its maker in it, too.
  return picked.length === 1
    ? texts.draft.createDirect(first.username)
    : texts.draft.createGroup(picked.length + 1);
}

function Picked({ picked }: { picked: Person[] }) {
  const dispatch = useAppDispatch();
  if (picked.length === 0) return null;
  return (
    <ul className="picked" aria-label={texts.draft.picked}>
      {picked.map((person) => (
        <li key={person.userId}>
          <button
            type="button"
            className="chip"
            aria-label={texts.draft.remove(person.username)}
            onClick={() => dispatch({ type: "draft-toggled", person })}
          >
            <Avatar name={person.username} src={person.avatar} />
            {person.username}
            <Icon name="close" size={16} />
          </button>
        </li>
      ))}
    </ul>
  );
}

function Found({ draft }: { draft: Draft }) {
  const dispatch = useAppDispatch();
  const { session } = useApp();
  const selfId = session.kind === "in" ? session.account.userId : "";
  const people = draft.found?.filter((person) => person.userId !== selfId) ?? null;
  if (people === null) {
    return (
      <p className="found-none" role="status">
        {draft.problem === null ? texts.draft.searching : ""}
      </p>
    );
  }
  if (people.length === 0) {
    return (
      <p className="found-none" role="status">
        {draft.query.trim() === "" ? texts.draft.alone : texts.draft.nobody}
      </p>
    );
  }
  return (
    <ul className="found" aria-label={texts.draft.search}>
      {people.map((person) => {
        const picked = draft.picked.some((each) => each.userId === person.userId);
        return (
          <li key={person.userId}>
            <button
              type="button"
              className={`found-person${picked ? " found-picked" : ""}`}
              aria-pressed={picked}
              data-testid="found-person"
              onClick={() => dispatch({ type: "draft-toggled", person })}
            >
              <span className="conversation-face">
                <Avatar name={person.username} src={person.avatar} />
                {person.online && <i className="presence" aria-hidden="true" />}
              </span>
              <span className="member-name">{person.username}</span>
              <span className="member-presence">
                {person.online ? texts.home.online : texts.home.offline}
              </span>
              <span className="tick" aria-hidden="true">
                {picked && <Icon name="check" size={16} />}
              </span>
            </button>
          </li>
        );
      })}
    </ul>
  );
}
