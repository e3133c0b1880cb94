//! One account: what its endpoint leads to, and nothing of the others.

use std::sync::Arc;

use crate::broker::Broker;
use crate::clock::Clock;
use crate::event::{Event, Qos};
use crate::history::History;
use crate::issuer::Issuer;
use crate::shadow::topic::{Request, Role, ShadowName, role};
use crate::throttle::Throttle;
use crate::{Error, Options, Registry};

/// An account in the region: registry, broker and services of its own behind an endpoint of its own.
pub(crate) struct Account {
    /// The SNI that leads here.
    pub(crate) endpoint: String,
    /// The account's number, as it stands in ARNs and events.
    pub(crate) number: String,
    pub(crate) registry: Registry,
    pub(crate) broker: Broker,
    pub(crate) throttle: Throttle,
    pub(crate) history: Arc<History>,
}

impl Account {
    /// An empty account, with its broker library on the current runtime.
    pub(crate) async fn start(
        endpoint: &str,
        number: &str,
        options: &Options,
        issuer: Arc<Issuer>,
        clock: Clock,
        history: Arc<History>,
    ) -> Result<Self, Error> {
        Ok(Self {
            endpoint: endpoint.to_owned(),
            number: number.to_owned(),
            registry: Registry::new(&options.region, number, clock.clone(), issuer),
            broker: Broker::start().await?,
            throttle: Throttle::new(options.throttles, clock),
            history,
        })
    }

    /// Publishes from the cloud side; shadow requests are answered as if a device had sent them.
    pub(crate) async fn publish(&self, topic: &str, payload: Vec<u8>, qos: Qos) {
        let role = role(topic);
        self.broker.publish(topic, payload.clone(), qos).await;
        if let Role::Request(shadow, request) = role {
            // A rejection goes out as a message, like everybody else's.
            let _ = self.shadow(None, &shadow, request, &payload).await;
        }
    }

    /// Lets the shadow service answer a request; gives the new version after an accepted update.
    pub(crate) async fn shadow(
        &self,
        connection: Option<u64>,
        shadow: &ShadowName,
        request: Request,
        payload: &[u8],
    ) -> Result<Option<u64>, Error> {
        let outcome = self.registry.shadows.handle(shadow, request, payload);
        let version = outcome.updated.as_ref().map(|(version, _)| *version);
        if let Some((version, state)) = outcome.updated {
            let ShadowName { thing, name } = shadow.clone();
            self.history.record(Event::ShadowUpdated { connection, thing, name, version, state });
        }
        for (topic, message) in outcome.messages {
            self.broker.publish(&topic, message.to_string(), Qos::AtLeastOnce).await;
        }
        match outcome.rejected {
            None => Ok(version),
            Some((code, message)) => Err(Error::Shadow { code, message }),
        }
    }
}
