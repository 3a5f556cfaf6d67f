//! What is measured of a call (contract §4.3).

use signalling::Timestamp;
use signalling::client_gateway::{QualityReport, SwitchGap};
use signalling::{ParticipantId, TransitionId};

use crate::Call;
use crate::input::{Person, RequestId};
use crate::output::{Measure, Output, Reply};
use crate::record::{GapRecord, MetricsRecord, ModeTransition, QualityRecord};
use crate::roster::Roster;
use crate::timers::{METRICS_DELAY, after};

/// The figures, and when they are to be written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Metrics {
    record: MetricsRecord,
    /// When what changed is written at the latest.
    pub(crate) due: Option<Timestamp>,
}

impl Metrics {
    /// As storage knows them.
    pub(crate) fn restored(record: Option<MetricsRecord>) -> Self {
        Self {
            record: record.unwrap_or_default(),
            due: None,
        }
    }

    fn changed(&mut self, now: Timestamp) {
        self.due.get_or_insert(after(now, METRICS_DELAY));
    }

    /// What is to be written now, if anything.
    pub(crate) fn take_due(&mut self, now: Timestamp, over: bool) -> Option<MetricsRecord> {
        let due = self.due.is_some_and(|due| due <= now);
        if !due && !over {
            return None;
        }
        self.due = None;
        Some(self.record.clone())
    }

    /// Counts who is there.
    pub(crate) fn seen(&mut self, roster: &Roster) {
        let ever = u32::try_from(roster.everybody().count()).unwrap_or(u32::MAX);
        self.record.total_participants = self.record.total_participants.max(ever);
        self.record.peak_participants = self.record.peak_participants.max(roster.occupying());
    }

    /// A switch ended. Written at once, as are those before it.
    pub(crate) fn switched(&mut self, transition: ModeTransition, now: Timestamp) {
        self.record.mode_transitions.push(transition);
        self.due = Some(now);
    }

    /// Whether this names a switch that ended.
    pub(crate) fn transition(&self, id: TransitionId) -> Option<&ModeTransition> {
        self.record.mode_transitions.iter().find(|each| each.id == id)
    }

    /// The last switch that was committed.
    pub(crate) fn last_committed(&self) -> Option<TransitionId> {
        let committed = |each: &&ModeTransition| each.success;
        self.record
            .mode_transitions
            .iter()
            .rev()
            .find(committed)
            .map(|each| each.id)
    }

    /// What one saw of another at a switch; a second report of the same replaces the first.
    fn gap(&mut self, gap: GapRecord, of: TransitionId, now: Timestamp) -> bool {
        let Some(transition) = self.record.mode_transitions.iter_mut().find(|each| each.id == of) else {
            return false;
        };
        transition.gaps.retain(|each| {
            each.participant_id != gap.participant_id
                || each.remote_participant_id != gap.remote_participant_id
        });
        transition.gaps.push(gap);
        self.changed(now);
        true
    }

    /// One more report goes into the means; `traffic` is what was sent and received since the last one.
    fn reported(&mut self, quality: QualityRecord, (sent, received): (u64, u64), now: Timestamp) {
        let record = &mut self.record;
        record.reports = record.reports.saturating_add(1);
        // The share of the newest report; a count fits a float for longer than any call lasts.
        #[allow(clippy::cast_precision_loss)]
        let share = 1.0 / record.reports as f64;
        let mean = |old: f64, new: f64| old + (new - old) * share;
        let old = record.average.unwrap_or(quality);
        record.average = Some(QualityRecord {
            packet_loss: mean(old.packet_loss, quality.packet_loss),
            jitter: mean(old.jitter, quality.jitter),
            rtt: mean(old.rtt, quality.rtt),
            bitrate: mean(old.bitrate, quality.bitrate),
        });
        record.total_data_sent = record.total_data_sent.saturating_add(sent);
        record.total_data_received = record.total_data_received.saturating_add(received);
        self.changed(now);
    }

    /// Somebody came back, or did not in time.
    pub(crate) fn reconnected(&mut self, back: bool, now: Timestamp, out: &mut Vec<Output>) {
        if back {
            self.record.reconnections = self.record.reconnections.saturating_add(1);
            self.changed(now);
        }
        out.push(Output::Measure(Measure::Reconnection { back }));
    }

    /// A direct connection could not be set up.
    pub(crate) fn ice_failed(&mut self, now: Timestamp) {
        self.record.ice_failures = self.record.ice_failures.saturating_add(1);
        self.changed(now);
    }

    /// A transport to a node could not be set up, or failed.
    pub(crate) fn transport_failed(&mut self, now: Timestamp) {
        self.record.transport_errors = self.record.transport_errors.saturating_add(1);
        self.changed(now);
    }
}

/// What grew since the last report; a counter that starts anew counts from zero.
fn growth(before: u64, now: u64) -> u64 {
    now.checked_sub(before).unwrap_or(now)
}

impl Call {
    /// How well media arrives at somebody.
    pub(crate) fn quality(&mut self, person: &Person, report: &QualityReport) {
        let Some(id) = self.participant_of(person).cloned() else {
            return;
        };
        let Some(who) = self.roster.occupant_mut(&id) else {
            return;
        };
        let figures = [report.packet_loss, report.jitter, report.rtt, report.bitrate];
        if !figures.iter().all(|figure| figure.is_finite() && *figure >= 0.0) {
            return;
        }
        let quality = QualityRecord {
            packet_loss: report.packet_loss.min(1.0),
            jitter: report.jitter,
            rtt: report.rtt,
            bitrate: report.bitrate,
        };
        let total = (report.bytes_sent, report.bytes_received);
        // After a restart of the gateway the first report says what was counted before.
        let (sent, received) = who.reported.unwrap_or(total);
        who.reported = Some(total);
        who.row.quality = Some(quality);
        let traffic = (growth(sent, total.0), growth(received, total.1));
        self.metrics.reported(quality, traffic, self.now);
    }

    /// What a switch did to picture and sound somewhere.
    pub(crate) fn gap(&mut self, request: RequestId, id: &ParticipantId, gap: &SwitchGap) {
        let record = GapRecord {
            participant_id: id.clone(),
            remote_participant_id: gap.remote_participant_id.clone(),
            video_gap_ms: gap.video_gap_ms,
            video_baseline_ms: gap.video_baseline_ms,
            audio_gap_ms: gap.audio_gap_ms,
            audio_baseline_ms: gap.audio_baseline_ms,
        };
        let known = self.roster.known(&gap.remote_participant_id).is_some();
        if known && self.metrics.gap(record, gap.transition_id, self.now) {
            self.reply(request, Reply::Done);
        } else {
            self.refuse(request, signalling::error::ErrorCode::InvalidInput);
        }
    }
}
