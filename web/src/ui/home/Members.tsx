import type { ConversationDto } from "../../signalling/generated";
import { Avatar } from "../parts/Avatar";
import { texts } from "../texts";

export function Members({ conversation, selfId }: { conversation: ConversationDto; selfId: string }) {
  return (
    <section className="members" aria-label={texts.conversation.members}>
      <h3>{texts.conversation.members}</h3>
      <ul>
        {conversation.members.map(({ userId, username, avatar, online }) => {
          const here = online || userId === selfId;
          const presence = here ? texts.home.online : texts.home.offline;
          return (
            <li key={userId} className="member" data-testid="member" data-online={here}>
              <span className="conversation-face">
                <Avatar name={username} src={avatar} />
                {here && <i className="presence" aria-hidden="true" />}
              </span>
              <span className="member-name">
                {userId === selfId ? texts.conversation.you(username) : username}
              </span>
              <span className="member-presence">{presence}</span>
            </li>
          );
        })}
      </ul>
    </section>
  );
}
