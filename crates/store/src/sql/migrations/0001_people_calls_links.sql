-- {bytes}, {real} and {binary} become the words of the database at hand. Times are milliseconds since 1970, flags 0 or 1.

CREATE TABLE users (
    id TEXT PRIMARY KEY,
    username TEXT NOT NULL,
    name_key TEXT {binary} NOT NULL UNIQUE,
    avatar TEXT,
    system_language TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE conversations (
    id TEXT PRIMARY KEY,
    identifier TEXT NOT NULL UNIQUE,
    type TEXT NOT NULL,
    title TEXT,
    is_active BIGINT NOT NULL DEFAULT 1,
    direct_key TEXT UNIQUE,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE TABLE conversation_members (
    conversation_id TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role TEXT NOT NULL,
    is_active BIGINT NOT NULL DEFAULT 1,
    PRIMARY KEY (conversation_id, user_id)
);
CREATE INDEX members_user ON conversation_members (user_id);

CREATE TABLE share_links (
    id TEXT PRIMARY KEY,
    token_hash TEXT NOT NULL UNIQUE,
    conversation_id TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    is_active BIGINT NOT NULL DEFAULT 1,
    expires_at BIGINT,
    max_uses BIGINT,
    current_uses BIGINT NOT NULL DEFAULT 0,
    max_concurrent_users BIGINT,
    allow_anonymous_messages BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL
);
CREATE INDEX links_conversation ON share_links (conversation_id);
CREATE INDEX links_end ON share_links (expires_at);

CREATE TABLE anonymous_participants (
    id TEXT PRIMARY KEY,
    conversation_id TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    share_link_id TEXT NOT NULL REFERENCES share_links (id) ON DELETE CASCADE,
    first_name TEXT NOT NULL,
    last_name TEXT,
    username TEXT NOT NULL,
    language TEXT NOT NULL,
    session_hash TEXT NOT NULL UNIQUE,
    is_active BIGINT NOT NULL DEFAULT 1,
    can_send_messages BIGINT NOT NULL DEFAULT 0,
    can_send_files BIGINT NOT NULL DEFAULT 0,
    can_send_images BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL
);
CREATE INDEX guests_conversation ON anonymous_participants (conversation_id);
CREATE INDEX guests_link ON anonymous_participants (share_link_id);
CREATE INDEX guests_created ON anonymous_participants (created_at);

CREATE TABLE call_sessions (
    id TEXT PRIMARY KEY,
    conversation_id TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    conversation_type TEXT NOT NULL,
    mode TEXT NOT NULL,
    status TEXT NOT NULL,
    type TEXT NOT NULL,
    initiator_id TEXT REFERENCES users (id) ON DELETE SET NULL,
    sfu_room_id TEXT,
    sfu_rtp_capabilities TEXT,
    last_mode_change BIGINT,
    mode_change_count BIGINT NOT NULL DEFAULT 0,
    transition_state TEXT,
    transition_id TEXT,
    media_server_id TEXT,
    settings TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    started_at BIGINT,
    ended_at BIGINT,
    duration BIGINT,
    end_reason TEXT,
    ended_by TEXT REFERENCES users (id) ON DELETE SET NULL
);
CREATE UNIQUE INDEX calls_one_live ON call_sessions (conversation_id)
    WHERE status IN ('initiated', 'ringing', 'active');
CREATE INDEX calls_conversation ON call_sessions (conversation_id);
CREATE INDEX calls_status ON call_sessions (status);
CREATE INDEX calls_created ON call_sessions (created_at);
CREATE INDEX calls_mode ON call_sessions (mode);
CREATE INDEX calls_initiator ON call_sessions (initiator_id);
CREATE INDEX calls_ended_by ON call_sessions (ended_by);
CREATE INDEX calls_room ON call_sessions (sfu_room_id);
CREATE INDEX calls_mode_status ON call_sessions (mode, status);
CREATE INDEX calls_conversation_status ON call_sessions (conversation_id, status);
CREATE INDEX calls_conversation_created ON call_sessions (conversation_id, created_at);
CREATE INDEX calls_initiator_status ON call_sessions (initiator_id, status);
CREATE INDEX calls_history ON call_sessions (conversation_id, status, created_at DESC);
CREATE INDEX calls_over ON call_sessions (ended_at) WHERE status IN ('ended', 'failed');

CREATE TABLE call_participants (
    id TEXT PRIMARY KEY,
    call_session_id TEXT NOT NULL REFERENCES call_sessions (id) ON DELETE CASCADE,
    user_id TEXT REFERENCES users (id) ON DELETE SET NULL,
    anonymous_user_id TEXT REFERENCES anonymous_participants (id) ON DELETE CASCADE,
    username TEXT NOT NULL,
    avatar TEXT,
    language TEXT,
    role TEXT NOT NULL,
    status TEXT NOT NULL,
    joined_at BIGINT NOT NULL,
    left_at BIGINT,
    audio_enabled BIGINT NOT NULL DEFAULT 1,
    video_enabled BIGINT NOT NULL DEFAULT 1,
    screen_share_enabled BIGINT NOT NULL DEFAULT 0,
    sfu_send_transport_id TEXT,
    sfu_recv_transport_id TEXT,
    sfu_audio_producer_id TEXT,
    sfu_video_producer_id TEXT,
    sfu_screen_producer_id TEXT,
    quality_metrics TEXT,
    device_info TEXT,
    disconnected_at BIGINT,
    reconnect_count BIGINT NOT NULL DEFAULT 0,
    updated_at BIGINT NOT NULL,
    -- One of both, or none once the person was erased.
    CHECK (user_id IS NULL OR anonymous_user_id IS NULL)
);
-- Partial, or two guests would collide on the user they both do not have.
CREATE UNIQUE INDEX participants_user_once ON call_participants (call_session_id, user_id)
    WHERE user_id IS NOT NULL;
CREATE UNIQUE INDEX participants_guest_once ON call_participants (call_session_id, anonymous_user_id)
    WHERE anonymous_user_id IS NOT NULL;
CREATE INDEX participants_call ON call_participants (call_session_id);
CREATE INDEX participants_user ON call_participants (user_id);
CREATE INDEX participants_guest ON call_participants (anonymous_user_id);
CREATE INDEX participants_status ON call_participants (status);
CREATE INDEX participants_joined ON call_participants (joined_at);
CREATE INDEX participants_send_transport ON call_participants (sfu_send_transport_id);
CREATE INDEX participants_audio_producer ON call_participants (sfu_audio_producer_id);
CREATE INDEX participants_video_producer ON call_participants (sfu_video_producer_id);
CREATE INDEX participants_screen_producer ON call_participants (sfu_screen_producer_id);
CREATE INDEX participants_call_status ON call_participants (call_session_id, status);
CREATE INDEX participants_user_status ON call_participants (user_id, status);
CREATE INDEX participants_guest_status ON call_participants (anonymous_user_id, status);
CREATE INDEX participants_call_joined ON call_participants (call_session_id, joined_at);

CREATE TABLE call_metrics (
    id TEXT PRIMARY KEY,
    call_session_id TEXT NOT NULL UNIQUE REFERENCES call_sessions (id) ON DELETE CASCADE,
    mode_transitions TEXT,
    avg_packet_loss {real},
    avg_jitter {real},
    avg_rtt {real},
    avg_bitrate {real},
    reports BIGINT NOT NULL DEFAULT 0,
    peak_participants BIGINT,
    total_participants BIGINT,
    reconnections BIGINT NOT NULL DEFAULT 0,
    ice_failures BIGINT NOT NULL DEFAULT 0,
    transport_errors BIGINT NOT NULL DEFAULT 0,
    total_data_sent BIGINT,
    total_data_received BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE TABLE call_transcriptions (
    id TEXT PRIMARY KEY,
    call_session_id TEXT NOT NULL REFERENCES call_sessions (id) ON DELETE CASCADE,
    participant_id TEXT NOT NULL REFERENCES call_participants (id) ON DELETE CASCADE,
    -- Both are sealed.
    text {bytes} NOT NULL,
    translations {bytes},
    language TEXT NOT NULL,
    timestamp BIGINT NOT NULL,
    duration BIGINT,
    is_final BIGINT NOT NULL DEFAULT 1,
    confidence_score {real},
    source TEXT NOT NULL DEFAULT 'client',
    processing_time BIGINT,
    created_at BIGINT NOT NULL
);
CREATE INDEX captions_call ON call_transcriptions (call_session_id);
CREATE INDEX captions_participant ON call_transcriptions (participant_id);
CREATE INDEX captions_timestamp ON call_transcriptions (timestamp);
CREATE INDEX captions_language ON call_transcriptions (language);
CREATE INDEX captions_final ON call_transcriptions (is_final);
CREATE INDEX captions_call_timestamp ON call_transcriptions (call_session_id, timestamp);
CREATE INDEX captions_call_final ON call_transcriptions (call_session_id, is_final);
CREATE INDEX captions_participant_language ON call_transcriptions (participant_id, language);
CREATE INDEX captions_created ON call_transcriptions (created_at);

CREATE TABLE audit_logs (
    id TEXT PRIMARY KEY,
    event_type TEXT NOT NULL,
    user_id TEXT,
    call_id TEXT,
    metadata TEXT NOT NULL,
    ip_address TEXT,
    user_agent TEXT,
    timestamp BIGINT NOT NULL
);
CREATE INDEX audit_timestamp ON audit_logs (timestamp);
CREATE INDEX audit_type_timestamp ON audit_logs (event_type, timestamp);
CREATE INDEX audit_user ON audit_logs (user_id);
CREATE INDEX audit_call ON audit_logs (call_id);
