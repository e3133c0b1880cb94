//! The broker library behind the front: routes messages, keeps sessions and retained messages.
//!
//! It listens on a loopback port of its own. Nobody gets past the front's checks through that port:
//! only connections that show a password drawn at start are let in.

use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use bytes::Bytes;
use mqtt5::QoS;
use mqtt5::broker::auth::{AuthProvider, AuthResult};
use mqtt5::broker::config::{BrokerConfig, StorageBackend, StorageConfig};
use mqtt5::broker::router::{DeliveryLanes, MessageRouter, SubscriptionRequest};
use mqtt5::broker::server::MqttBroker;
use mqtt5::packet::connect::ConnectPacket;
use mqtt5::packet::publish::PublishPacket;
use mqtt5::protocol::v5::reason_codes::ReasonCode;
use rumqttc::{Connect, ConnectAuth};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::event::Qos;
use crate::{Error, certificate};

/// How long AWS keeps the session of a client that is away, unless asked for more.
const SESSION_EXPIRY: Duration = Duration::from_secs(3600);
/// How long the library may take to start.
const START_LIMIT: Duration = Duration::from_secs(10);
/// Messages that may wait for one observer of the cloud side.
const OBSERVER_QUEUE: usize = 10_000;
/// The user name of the front.
const USER: &str = "emulator-front";

/// A message as the cloud side sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The topic it was published to.
    pub topic: String,
    /// Its payload.
    pub payload: Bytes,
}

/// The running broker library.
pub(crate) struct Broker {
    address: SocketAddr,
    password: String,
    router: Arc<MessageRouter>,
    observers: AtomicU64,
}

impl Broker {
    /// Starts the library on the current runtime; it ends with the runtime.
    pub(crate) async fn start() -> Result<Self, Error> {
        let mut secret = [0; 16];
        rustls::crypto::ring::default_provider()
            .secure_random
            .fill(&mut secret)
            .map_err(|_| Error::Broker("no random numbers".to_owned()))?;
        let password = certificate::hex(&secret);
        let config = BrokerConfig {
            bind_addresses: vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 0))],
            session_expiry_interval: SESSION_EXPIRY,
            maximum_qos: 1,
            sys_topics_enabled: false,
            storage_config: StorageConfig { backend: StorageBackend::Memory, ..StorageConfig::default() },
            ..BrokerConfig::default()
        };
        let mut broker = MqttBroker::with_config(config)
            .await
            .map_err(failed)?
            .with_auth_provider(Arc::new(FrontOnly { password: password.clone() }));
        let address = broker.local_addr().ok_or_else(|| Error::Broker("it does not listen".to_owned()))?;
        let router = broker.router();
        let mut ready = broker.ready_receiver();
        tokio::spawn(async move {
            if let Err(error) = broker.run().await {
                tracing::error!("EMULATOR of IoT Core: the broker library ended: {error}");
            }
        });
        match timeout(START_LIMIT, ready.wait_for(|ready| *ready)).await {
            Ok(Ok(_)) => Ok(Self { address, password, router, observers: AtomicU64::new(0) }),
            _ => Err(Error::Broker("it did not start".to_owned())),
        }
    }

    /// A new connection for a client.
    pub(crate) async fn open(&self) -> std::io::Result<TcpStream> {
        let stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    /// The CONNECT to forward for a client's: with the front's password, and without keep-alive,
    /// because the front itself watches that.
    pub(crate) fn connect(&self, client: &Connect) -> Connect {
        let auth = ConnectAuth::UsernamePassword {
            username: USER.to_owned(),
            password: self.password.clone().into(),
        };
        Connect { keep_alive: 0, auth, ..client.clone() }
    }

    /// Publishes from the cloud side.
    pub(crate) async fn publish(&self, topic: &str, payload: impl Into<Bytes>, qos: Qos) {
        let qos = match qos {
            Qos::AtMostOnce => QoS::AtMostOnce,
            Qos::AtLeastOnce => QoS::AtLeastOnce,
        };
        self.router.route_message(&PublishPacket::new_v311(topic, payload, qos), None).await;
    }

    /// Subscribes from the cloud side; it ends when the receiver is dropped.
    pub(crate) async fn observe(&self, filter: &str) -> Result<mpsc::Receiver<Message>, Error> {
        // `$` keeps it apart from client ids: no thing name has it.
        let id = format!("$emulator-observer-{}", self.observers.fetch_add(1, Ordering::Relaxed));
        let (lanes, mut incoming) = DeliveryLanes::channel(OBSERVER_QUEUE);
        let (takeover, _never) = oneshot::channel();
        let router = self.router.clone();
        router.register_client(id.clone(), lanes, router.queue_handle(&id), takeover).await;
        let request = SubscriptionRequest::new(id.as_str(), filter, QoS::AtMostOnce);
        router.subscribe(request).await.map_err(failed)?;
        let (sender, receiver) = mpsc::channel();
        tokio::spawn(async move {
            while let Some(message) = incoming.recv().await {
                let PublishPacket { topic_name: topic, payload, .. } = message.publish;
                if sender.send(Message { topic, payload }).is_err() {
                    break;
                }
            }
            router.unregister_client(&id).await;
        });
        Ok(receiver)
    }
}

/// Lets in whoever knows the password. What a client may do was decided by the front.
struct FrontOnly {
    password: String,
}

impl AuthProvider for FrontOnly {
    fn authenticate<'a>(
        &'a self,
        connect: &'a ConnectPacket,
        _client: SocketAddr,
    ) -> Pin<Box<dyn Future<Output = mqtt5::error::Result<AuthResult>> + Send + 'a>> {
        let known = connect.password.as_deref() == Some(self.password.as_bytes());
        Box::pin(async move {
            Ok(if known { AuthResult::success() } else { AuthResult::fail(ReasonCode::NotAuthorized) })
        })
    }

    fn authorize_publish<'a>(
        &'a self,
        _client_id: &str,
        _user: Option<&'a str>,
        _topic: &'a str,
    ) -> Pin<Box<dyn Future<Output = bool> + Send + 'a>> {
        Box::pin(async { true })
    }

    fn authorize_subscribe<'a>(
        &'a self,
        _client_id: &str,
        _user: Option<&'a str>,
        _filter: &'a str,
    ) -> Pin<Box<dyn Future<Output = bool> + Send + 'a>> {
        Box::pin(async { true })
    }
}

fn failed(error: mqtt5::error::MqttError) -> Error {
    Error::Broker(error.to_string())
}
