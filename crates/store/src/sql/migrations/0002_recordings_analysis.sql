-- Recordings are not made yet; the table is here so that erasure and retention know it.
CREATE TABLE call_recordings (
    id TEXT PRIMARY KEY,
    call_session_id TEXT NOT NULL UNIQUE REFERENCES call_sessions (id) ON DELETE CASCADE,
    file_url TEXT NOT NULL,
    file_path TEXT NOT NULL,
    file_size BIGINT NOT NULL,
    duration BIGINT NOT NULL,
    format TEXT NOT NULL DEFAULT 'webm',
    status TEXT NOT NULL DEFAULT 'processing',
    quality TEXT NOT NULL DEFAULT 'hd',
    started_at BIGINT NOT NULL,
    stopped_at BIGINT,
    requested_by TEXT REFERENCES users (id) ON DELETE CASCADE,
    deleted_at BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX recordings_requested_by ON call_recordings (requested_by);
CREATE INDEX recordings_created ON call_recordings (created_at);

-- What a later analysis adds to the measurements of a call.
ALTER TABLE call_metrics ADD COLUMN quality_score BIGINT;
ALTER TABLE call_metrics ADD COLUMN participant_metrics TEXT;
ALTER TABLE call_metrics ADD COLUMN network_issues TEXT;
ALTER TABLE call_metrics ADD COLUMN event_timeline TEXT;
ALTER TABLE call_metrics ADD COLUMN analyzed_at BIGINT;
