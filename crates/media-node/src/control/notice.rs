//! What rooms have to say to the outside; the socket side delivers it in order.

use signalling::client_node::NodeEvent;
use signalling::gateway_node::ServiceEvent;
use tokio::sync::mpsc;

/// An event for clients or for services; whom it reaches follows from the event itself.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Notice {
    /// For those in the room it happened in (contract §1.7).
    Clients(NodeEvent),
    /// For connected services.
    Services(ServiceEvent),
}

/// The rooms' end.
#[derive(Clone, Debug)]
pub(crate) struct NoticeSender(mpsc::UnboundedSender<Notice>);

/// The socket side's end.
pub(crate) type NoticeReceiver = mpsc::UnboundedReceiver<Notice>;

/// A fresh way from rooms to sockets. Unbounded: a notice costs its receiver less than what caused it.
pub(crate) fn channel() -> (NoticeSender, NoticeReceiver) {
    let (sender, receiver) = mpsc::unbounded_channel();
    (NoticeSender(sender), receiver)
}

impl NoticeSender {
    pub(crate) fn clients(&self, event: NodeEvent) {
        self.send(Notice::Clients(event));
    }

    pub(crate) fn services(&self, event: ServiceEvent) {
        self.send(Notice::Services(event));
    }

    fn send(&self, notice: Notice) {
        // Nobody listens only while the node shuts down.
        drop(self.0.send(notice));
    }
}
