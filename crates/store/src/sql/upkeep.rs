//! Retention and repair.

use async_trait::async_trait;
use signalling::Timestamp;

use super::calls::live;
use super::row::millis;
use super::{SqlStore, commit, run};
use crate::{Purged, Repaired, Retention, SchemaStatus, StoreError, Upkeep};

/// Participants, measurements, captions and recordings go with their call.
const OLD_CALLS: &str = "DELETE FROM call_sessions WHERE status IN ('ended', 'failed') AND ended_at <= $1";
const OLD_CAPTIONS: &str = "DELETE FROM call_transcriptions WHERE created_at <= $1";
const OLD_RECORDINGS: &str = "DELETE FROM call_recordings WHERE created_at <= $1";
const OLD_AUDIT: &str = "DELETE FROM audit_logs WHERE timestamp <= $1";
const OLD_GUESTS: &str = "DELETE FROM anonymous_participants WHERE created_at <= $1 AND NOT EXISTS \
    (SELECT 1 FROM call_participants p WHERE p.anonymous_user_id = anonymous_participants.id)";
const OLD_LINKS: &str = "DELETE FROM share_links WHERE expires_at <= $1 AND NOT EXISTS \
    (SELECT 1 FROM anonymous_participants g WHERE g.share_link_id = share_links.id)";

const CLEAR_PARTICIPANTS: &str = "UPDATE call_participants SET sfu_send_transport_id = NULL, \
    sfu_recv_transport_id = NULL, sfu_audio_producer_id = NULL, sfu_video_producer_id = NULL, \
    sfu_screen_producer_id = NULL WHERE call_session_id IN \
    (SELECT id FROM call_sessions WHERE mode = 'p2p' AND sfu_room_id IS NOT NULL)";
const CLEAR_ROOMS: &str = "UPDATE call_sessions SET sfu_room_id = NULL, sfu_rtp_capabilities = NULL, \
    transition_state = 'p2p', updated_at = $1 WHERE mode = 'p2p' AND sfu_room_id IS NOT NULL";
const CLOSE_PARTICIPANTS: &str = concat!(
    "UPDATE call_participants SET status = 'disconnected', updated_at = $1, left_at = COALESCE((SELECT c.ended_at \
     FROM call_sessions c WHERE c.id = call_participants.call_session_id), $1) \
     WHERE left_at IS NULL AND status <> 'failed' AND call_session_id IN \
     (SELECT id FROM call_sessions WHERE NOT ",
    live!(),
    ")"
);

#[async_trait]
impl Upkeep for SqlStore {
    async fn purge_expired(&self, now: Timestamp) -> Result<Purged, StoreError> {
        let _timer = self.timer("purge_expired");
        let mut tx = self.begin_write().await?;
        let until = |sql: &'static str, period| sqlx::query(sql).bind(millis(Retention::cutoff(now, period)));
        let keep = self.retention;
        let calls = run(&mut tx, until(OLD_CALLS, keep.calls)).await?;
        run(&mut tx, until(OLD_RECORDINGS, keep.captions)).await?;
        let purged = Purged {
            calls,
            captions: run(&mut tx, until(OLD_CAPTIONS, keep.captions)).await?,
            audit: run(&mut tx, until(OLD_AUDIT, keep.audit)).await?,
            guests: run(&mut tx, until(OLD_GUESTS, keep.guests)).await?,
            links: run(&mut tx, until(OLD_LINKS, keep.guests)).await?,
        };
        commit(tx).await?;
        Ok(purged)
    }

    async fn repair(&self, now: Timestamp) -> Result<Repaired, StoreError> {
        let _timer = self.timer("repair");
        let mut tx = self.begin_write().await?;
        run(&mut tx, sqlx::query(CLEAR_PARTICIPANTS)).await?;
        let repaired = Repaired {
            rooms_cleared: run(&mut tx, sqlx::query(CLEAR_ROOMS).bind(millis(now))).await?,
            participants_closed: run(&mut tx, sqlx::query(CLOSE_PARTICIPANTS).bind(millis(now))).await?,
        };
        commit(tx).await?;
        Ok(repaired)
    }

    async fn ping(&self) -> Result<(), StoreError> {
        let _timer = self.timer("ping");
        self.answer().await
    }

    async fn schema(&self) -> Result<SchemaStatus, StoreError> {
        let _timer = self.timer("schema");
        self.status().await
    }
}
