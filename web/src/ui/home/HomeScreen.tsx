import type { Account } from "../../signalling/generated";
import { useApp, useAppDispatch } from "../context";
import { Icon } from "../icons/Icon";
import { Avatar } from "../parts/Avatar";
import { Logo } from "../parts/Logo";
import { texts } from "../texts";
import { ConversationList } from "./ConversationList";
import { ConversationPage } from "./ConversationPage";
import { NewConversation } from "./NewConversation";
import { StartButton } from "./StartButton";

export function HomeScreen({ account }: { account: Account }) {
  const { route, draft, link } = useApp();
  const open = route.page === "conversation" ? route.conversationId : null;
  return (
    <div className={`home${open === null ? "" : " home-open"}`} data-testid="home-screen">
      <a className="skip" href="#page">
        {texts.skip}
      </a>
      {link === "interrupted" && (
        <p className="home-link" role="status">
          <span className="spinner" aria-hidden="true" />
          {texts.home.interrupted}
        </p>
      )}
      <nav className="side" aria-label={texts.home.conversations}>
        <SideHead account={account} />
        <ConversationList selfId={account.userId} open={open} />
      </nav>
      <main className="page" id="page" tabIndex={-1}>
        {open === null ? <NothingOpen /> : <ConversationPage key={open} id={open} account={account} />}
      </main>
      {draft !== null && <NewConversation draft={draft} />}
    </div>
  );
}

function SideHead({ account }: { account: Account }) {
  const dispatch = useAppDispatch();
  return (
    <header className="side-head">
      <div className="side-top">
        <Logo />
        <span className="side-account" title={texts.home.account(account.username)}>
          <span className="visually-hidden">{texts.home.account(account.username)}</span>
          <Avatar name={account.username} src={account.avatar} />
          <button
            type="button"
            className="icon-button"
            aria-label={texts.home.logout}
            title={texts.home.logout}
            data-testid="logout"
            onClick={() => dispatch({ type: "logout-asked" })}
          >
            <Icon name="logout" size={20} />
          </button>
        </span>
      </div>
      <div className="side-title">
        <h1>{texts.home.conversations}</h1>
        <button
          type="button"
          className="button button-soft"
          data-testid="new-conversation"
          aria-label={texts.home.start}
          title={texts.home.start}
          onClick={() => dispatch({ type: "draft-opened" })}
        >
          <Icon name="plus" size={20} />
        </button>
      </div>
    </header>
  );
}

function NothingOpen() {
  return (
    <div className="page-empty">
      <div className="page-empty-art" aria-hidden="true">
        <Icon name="phone" size={44} />
      </div>
      <h2>{texts.home.nothingOpenTitle}</h2>
      <p>{texts.home.nothingOpenText}</p>
      <StartButton />
    </div>
  );
}
