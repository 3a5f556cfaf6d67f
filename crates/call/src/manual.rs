//! What people do to the mode by hand: setting it, and not waiting for the next try (contract §2.3, §3.7).

use signalling::Timestamp;
use signalling::client_gateway::{CallStatus, Mode, SwitchReason};
use signalling::error::ErrorCode;

use crate::Call;
use crate::input::{Actor, RequestId};
use crate::mode::{Hold, Machine};
use crate::output::Reply;
use crate::timers::after;

/// A switch by hand that waits for a room.
#[derive(Clone, Debug)]
pub(crate) struct PendingManual {
    pub(crate) request: RequestId,
    /// When it is refused.
    pub(crate) until: Timestamp,
}

impl Call {
    /// Somebody does not want to wait for the next try.
    pub(crate) fn retry_switch(&mut self, request: RequestId) {
        self.reply(request, Reply::Done);
        if let Machine::P2p { retry: Some(retry) } = &mut self.machine {
            retry.at = self.now;
        }
    }

    /// Whether exactly two hold a seat and both are there.
    pub(crate) fn can_be_direct(&self) -> bool {
        self.roster.occupying() == 2 && self.roster.present() == 2
    }

    /// Whether everybody's client can use a media node.
    pub(crate) fn can_be_group(&self) -> bool {
        !self.is_direct() && self.roster.occupants().all(|each| each.sfu_supported)
    }

    /// The mode is set by hand (contract §3.7).
    pub(crate) fn set_mode(&mut self, request: RequestId, by: Actor, mode: Mode) {
        if by != Actor::Service {
            return self.refuse(request, ErrorCode::PermissionDenied);
        }
        if self.switch().is_some() || self.manual.is_some() {
            if self.machine.target() == mode && self.manual.is_none() {
                return self.mode_set(request, mode);
            }
            return self.refuse(request, ErrorCode::TransitionInProgress);
        }
        if self.row.mode == mode {
            return self.mode_set(request, mode);
        }
        match mode {
            Mode::P2p if !self.can_be_direct() => self.refuse(request, ErrorCode::InvalidMode),
            Mode::P2p => {
                self.begin_switch(Mode::P2p, SwitchReason::Manual, 0, None);
                self.mode_set(request, mode);
            }
            Mode::Sfu if !self.can_be_group() || !self.has_company() => {
                self.refuse(request, ErrorCode::InvalidMode);
            }
            Mode::Sfu if !self.settings.sfu_enabled => self.refuse(request, ErrorCode::SfuDisabled),
            Mode::Sfu => {
                let until = after(self.now, self.settings.switch_timeout);
                self.manual = Some(PendingManual { request, until });
            }
        }
    }

    fn has_company(&self) -> bool {
        self.row.status == CallStatus::Active && self.roster.occupying() >= 2
    }

    fn mode_set(&mut self, request: RequestId, mode: Mode) {
        let committed = self.row.last_mode_change.unwrap_or(self.row.created_at);
        let switched_at = self.switch().map_or(committed, |switch| switch.began);
        self.reply(request, Reply::ModeSet { mode, switched_at });
    }

    /// Begins the switch by hand as soon as there is a room.
    pub(crate) fn serve_manual(&mut self) -> bool {
        let Some(PendingManual { request, .. }) = self.manual else {
            return false;
        };
        let ready = self.has_place();
        match self.machine {
            Machine::P2p { .. } if !self.can_be_group() || !self.has_company() => {
                self.refuse(request, ErrorCode::InvalidMode);
            }
            Machine::P2p { .. } if !ready => return false,
            Machine::P2p { .. } => {
                self.begin_switch(Mode::Sfu, SwitchReason::Manual, 0, None);
                if self.roster.occupying() == 2 {
                    self.hold = Hold::ByHand;
                }
                self.mode_set(request, Mode::Sfu);
            }
            _ => self.mode_set(request, Mode::Sfu),
        }
        self.manual = None;
        true
    }
}
