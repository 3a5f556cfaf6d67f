//! Producers on workers that do not receive them: opened with their first consumer there, gone with the last.

use ortc::MediaKind;
use sfu::RemoteProducer;
use sfu::command::{Command, Reply};
use sfu::key::ProducerKey;
use signalling::error::ErrorBody;
use signalling::{ErrorCode, ProducerId};

use super::Room;
use super::objects::{Purpose, Twin};
use crate::control::workers::WorkerNumber;

impl Room {
    /// The producer as consumers of `worker` know it: itself, or its twin.
    pub(super) async fn producer_on(
        &mut self,
        worker: WorkerNumber,
        id: ProducerId,
    ) -> Result<ProducerKey, ErrorBody> {
        let missing = || ErrorBody::new(ErrorCode::ProducerNotFound).about("producerId", id);
        let producer = self.producers.get(&id).ok_or_else(missing)?;
        if producer.worker == worker {
            return Ok(producer.key);
        }
        match producer.twins.get(&worker) {
            Some(twin) => Ok(twin.key),
            None => self.open_twin(worker, id, Purpose::Consumers).await,
        }
    }

    /// The home hears everybody, also those whom nobody there consumes: it finds out who speaks.
    pub(super) async fn let_home_hear(&mut self, id: ProducerId) {
        let home = self.home;
        let speaks = self.producers.get(&id).is_some_and(|producer| {
            producer.kind == MediaKind::Audio
                && producer.worker != home
                && !producer.twins.contains_key(&home)
        });
        if speaks && let Err(error) = self.open_twin(home, id, Purpose::Hearing).await {
            // The track flows all the same; it is just never the active speaker's.
            tracing::error!(call = %self.call, producer = %id, ?error, "the room's home does not hear a track");
        }
    }

    async fn open_twin(
        &mut self,
        worker: WorkerNumber,
        id: ProducerId,
        purpose: Purpose,
    ) -> Result<ProducerKey, ErrorBody> {
        const FAILED: ErrorCode = ErrorCode::ConsumerCreationFailed;
        let producer = self.producers.get(&id).ok_or(ErrorBody::new(FAILED))?;
        let (source, original, spec) = (producer.worker, producer.key, producer.spec.clone());
        let parts = self.parts.get(&source).zip(self.parts.get(&worker));
        let (from, to) = parts.ok_or(ErrorBody::new(FAILED))?;
        let linked = self.context.workers.link(&from.lease, &to.lease);
        linked.map_err(|error| self.unanswered(error, FAILED))?;
        let command = Command::ProducePiped {
            router: to.router,
            from: source.peer(),
            source: RemoteProducer(original),
            spec,
        };
        let key = match self.command(worker, command, FAILED).await? {
            Reply::Producer(key) => key,
            other => return Err(self.unexpected(&other, FAILED)),
        };
        let command = Command::OpenPipe {
            producer: original,
            to: worker.peer(),
            twin: RemoteProducer(key),
        };
        if let Err(error) = self.command(source, command, FAILED).await {
            self.close_twin(worker, key);
            return Err(error);
        }
        tracing::debug!(call = %self.call, producer = %id, ?worker, "producer is piped to another worker");
        self.producer_ids.insert((worker, key), id);
        if let Some(producer) = self.producers.get_mut(&id) {
            let consumers = 0;
            let twin = Twin {
                key,
                consumers,
                purpose,
            };
            producer.twins.insert(worker, twin);
        }
        Ok(key)
    }

    /// Notes a consumer of the producer's twin on `worker`, if it has one there.
    pub(super) fn count_twin_consumer(&mut self, id: ProducerId, worker: WorkerNumber) {
        let producer = self.producers.get_mut(&id);
        if let Some(twin) = producer.and_then(|producer| producer.twins.get_mut(&worker)) {
            twin.consumers += 1;
        }
    }

    /// Notes that a consumer of the producer's twin on `worker` is gone.
    pub(super) fn discount_twin_consumer(&mut self, id: ProducerId, worker: WorkerNumber) {
        let producer = self.producers.get_mut(&id);
        if let Some(twin) = producer.and_then(|producer| producer.twins.get_mut(&worker)) {
            twin.consumers = twin.consumers.saturating_sub(1);
            self.close_idle_twins(id);
        }
    }

    /// Closes those twins of a producer that nobody consumes.
    pub(super) fn close_idle_twins(&mut self, id: ProducerId) {
        let Some(producer) = self.producers.get_mut(&id) else {
            return;
        };
        let idle =
            |_: &WorkerNumber, twin: &mut Twin| twin.consumers == 0 && twin.purpose == Purpose::Consumers;
        let idle: Vec<(WorkerNumber, ProducerKey)> = producer
            .twins
            .extract_if(.., idle)
            .map(|(worker, twin)| (worker, twin.key))
            .collect();
        for (worker, key) in idle {
            self.producer_ids.remove(&(worker, key));
            self.close_twin(worker, key);
        }
    }

    fn close_twin(&self, worker: WorkerNumber, key: ProducerKey) {
        if let Some(part) = self.parts.get(&worker) {
            part.lease.forget_producer(key);
            // It tells its original, which then sends no more.
            part.lease.post(Command::CloseProducer(key));
        }
    }
}
