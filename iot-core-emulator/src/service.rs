//! What all connections share.

use std::sync::Arc;

use crate::authority::Authority;
use crate::broker::Broker;
use crate::connections::Connections;
use crate::event::{Event, Qos};
use crate::history::History;
use crate::shadow::topic::{Request, Role, ShadowName, role};
use crate::tls::Tls;
use crate::{Error, Options, Registry};

/// The emulated cloud, without its listeners and its thread.
pub(crate) struct Service {
    pub(crate) options: Options,
    pub(crate) root_pem: String,
    pub(crate) tls: Tls,
    pub(crate) registry: Registry,
    pub(crate) history: Arc<History>,
    pub(crate) broker: Broker,
    pub(crate) connections: Arc<Connections>,
}

impl Service {
    /// Makes the certificates and starts the broker library on the current runtime.
    pub(crate) async fn start(options: Options) -> Result<Self, Error> {
        options.check()?;
        let authority = Authority::for_endpoint(&options.endpoint)?;
        Ok(Self {
            root_pem: authority.root_pem.clone(),
            tls: Tls::new(authority)?,
            registry: Registry::new(&options.region, &options.account),
            history: Arc::default(),
            broker: Broker::start().await?,
            connections: Arc::default(),
            options,
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
