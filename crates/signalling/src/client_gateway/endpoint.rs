//! Methods and paths of the gateway (contract §2.1, §2.4).

use crate::declare::endpoints;

endpoints! {
    /// An endpoint of the gateway. `/api/rooms/…` is not among them: it is passed on to a media node as it is.
    GatewayEndpoint {
        /// Begins a call: [`super::Initiate`], answered with [`super::StartCallResponse`].
        StartCall = "POST" "/api/calls";
        /// Past and present calls of `?conversationId=`: [`super::CallHistory`].
        Calls = "GET" "/api/calls";
        /// A call: [`super::CallDto`].
        FetchCall = "GET" "/api/calls/{callId}";
        /// Ends a call for everybody: [`super::EndedResponse`].
        EndCall = "DELETE" "/api/calls/{callId}";
        /// Enters a call: [`super::JoinCallRequest`], answered with [`super::JoinDto`].
        JoinCall = "POST" "/api/calls/{callId}/participants";
        /// Removes a participant, oneself or, with the right to it, another: [`super::LeftResponse`].
        RemoveParticipant = "DELETE" "/api/calls/{callId}/participants/{participantId}";
        /// Leaves a call: [`super::LeftResponse`].
        LeaveCall = "POST" "/api/calls/{callId}/leave";
        /// Changes the mode by hand: [`super::SetModeRequest`], answered with [`super::SetModeResponse`].
        SetMode = "PUT" "/api/calls/{callId}/mode";
        /// Takes a caption from a service: [`super::TranscriptionRequest`], answered with
        /// [`super::TranscriptionResponse`].
        AddTranscription = "POST" "/api/calls/{callId}/transcriptions";
        /// Takes a [`super::QualityReport`].
        ReportQuality = "POST" "/api/calls/{callId}/quality-metrics";
        /// Past and present calls of a conversation: [`super::CallHistory`].
        ConversationCalls = "GET" "/api/conversations/{conversationId}/calls";
        /// The live call of a conversation, or `null`: [`super::ActiveCall`].
        ActiveCall = "GET" "/api/conversations/{conversationId}/active-call";
        /// Where a link leads: [`super::TrackedLink`].
        TrackedLink = "GET" "/api/links/tracked/{token}";
        /// Lets a guest in: [`super::JoinAnonymousRequest`], answered with [`super::JoinAnonymousResponse`].
        JoinAnonymous = "POST" "/api/conversations/{conversationId}/join-anonymous";
        /// STUN and TURN servers: [`super::IceServersResponse`].
        IceServers = "GET" "/api/ice-servers";
        /// As many bytes as `?bytes=` asks for, that cannot be compressed.
        BandwidthTest = "GET" "/api/bandwidth-test";
        /// What the server is like: [`super::GatewayConfig`].
        Config = "GET" "/api/config";
        /// Everything that is known of one's calls.
        ExportCallData = "GET" "/api/users/me/call-data";
        /// Erases what is known of one's calls.
        EraseCallData = "DELETE" "/api/users/me/call-data";
        /// Logs in by name alone, in development: [`super::DevLoginRequest`], answered with [`super::LoginResponse`].
        DevLogin = "POST" "/api/auth/dev-login";
        /// One's account: [`super::Account`].
        Me = "GET" "/api/users/me";
        /// People whose name contains `?query=`: a list of [`super::Person`].
        Users = "GET" "/api/users";
        /// One's conversations: a list of [`super::ConversationDto`].
        Conversations = "GET" "/api/conversations";
        /// Makes a conversation: [`super::CreateConversationRequest`], answered with [`super::ConversationDto`].
        CreateConversation = "POST" "/api/conversations";
        /// Makes a link for guests: [`super::CreateLinkRequest`], answered with [`super::ShareLinkDto`].
        CreateLink = "POST" "/api/conversations/{conversationId}/links";
        /// What operators see: [`super::AdminOverview`].
        AdminOverview = "GET" "/api/admin/overview";
        /// What is turned on, and what says so: [`super::AdminFlags`].
        AdminFlags = "GET" "/api/admin/flags";
        /// Turns things on and off: [`super::AdminFlagsChange`], answered with [`super::AdminFlags`].
        SetAdminFlags = "PUT" "/api/admin/flags";
        /// Has a media node take no new rooms: [`super::AdminDrain`].
        DrainNode = "POST" "/api/admin/nodes/{nodeId}/drain";
        /// Has it take rooms again: [`super::AdminDrain`].
        EndDrainNode = "DELETE" "/api/admin/nodes/{nodeId}/drain";
        /// A media node says that it is there: [`crate::gateway_node::RegisterNode`], answered with
        /// [`crate::gateway_node::Registered`].
        RegisterNode = "POST" "/api/nodes/register";
        /// Whether the gateway and what it needs are well.
        Health = "GET" "/health";
        /// Whether the gateway takes calls.
        Ready = "GET" "/ready";
        /// Prometheus metrics; internal.
        Metrics = "GET" "/metrics";
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::client_gateway::directory_path;

    #[test]
    fn no_two_endpoints_are_the_same() {
        let all: BTreeSet<(&str, &str)> = GatewayEndpoint::ALL
            .iter()
            .map(|endpoint| (endpoint.method(), endpoint.path()))
            .collect();
        assert_eq!(all.len(), GatewayEndpoint::ALL.len());
    }

    #[test]
    fn nodes_register_where_the_gateway_listens() {
        assert_eq!(
            GatewayEndpoint::RegisterNode.path(),
            crate::gateway_node::REGISTER_PATH
        );
    }

    #[test]
    fn the_directorys_paths_are_among_them() {
        for path in [
            directory_path::DEV_LOGIN,
            directory_path::ME,
            directory_path::USERS,
            directory_path::CONVERSATIONS,
            directory_path::LINKS,
        ] {
            assert!(
                GatewayEndpoint::ALL
                    .iter()
                    .any(|endpoint| endpoint.path() == path),
                "{path}"
            );
        }
    }
}
