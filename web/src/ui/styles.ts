/** The page's looks, in the order in which they build on each other. */
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/parts.css";
import "./styles/gate.css";
import "./styles/home.css";
import "./styles/conversation.css";
import "./styles/incoming.css";
import "./styles/call.css";
import "./styles/controls.css";
import "./styles/outgoing.css";
import "./styles/tile.css";
