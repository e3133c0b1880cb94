//! The handle: a blocking view of the emulator, which runs on a thread of its own.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use rumqttc::{valid_filter, valid_topic};
use serde_json::{Value, json};
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

use crate::account::Account;
use crate::broker::Message;
use crate::event::{Event, Listener, Qos};
use crate::history::Events;
use crate::listener::Listeners;
use crate::service::Service;
use crate::shadow::topic::{Request, ShadowName, is_thing_name};
use crate::{Error, Options, Registry, Timeout, lock};

/// How long the emulator's thread may take to answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(15);
/// How long the runtime may take to stop.
const STOP_LIMIT: Duration = Duration::from_secs(2);

/// A running emulator of AWS IoT Core. Dropping it cuts all connections, frees the ports and ends
/// its thread.
///
/// All methods block, and none for longer than about 15 seconds; the runtime is the emulator's own.
/// So it works in a plain `main` as well as in an asynchronous test, where the waits
/// ([`IotCore::wait_for`], the receiver of [`IotCore::subscribe`]) belong into `spawn_blocking` if
/// the client under test runs on the same thread.
pub struct IotCore {
    service: Arc<Service>,
    /// That of the endpoint that the options name first.
    account: Arc<Account>,
    listeners: Arc<tokio::sync::Mutex<Listeners>>,
    mqtt_address: SocketAddr,
    alpn_address: SocketAddr,
    place: Mutex<Events>,
    runtime: Handle,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl IotCore {
    /// Starts the emulator and returns when both listeners are open.
    ///
    /// # Errors
    /// [`Error::Endpoint`] or [`Error::Arn`] for unfit options, [`Error::Bind`] if a port is taken,
    /// [`Error::Thread`] and others if the machine has no more to give.
    pub fn start(options: Options) -> Result<Self, Error> {
        let (started, answer) = mpsc::sync_channel(1);
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = std::thread::Builder::new()
            .name("iot-core-emulator".to_owned())
            .spawn(move || run(options, &started, stopped))?;
        let (service, listeners, runtime) = match answer.recv_timeout(ANSWER_LIMIT) {
            Ok(Ok(started)) => started,
            Ok(Err(error)) => {
                let _ = thread.join();
                return Err(error);
            }
            // It ends by itself as soon as it finds that nobody listens.
            Err(_) => return Err(Error::Stopped),
        };
        let account = service.accounts.first().cloned().ok_or(Error::Stopped)?;
        let mqtt_address = listeners.address(Listener::Mqtt);
        let alpn_address = listeners.address(Listener::Alpn);
        tracing::info!(
            endpoint = service.options.endpoint,
            %mqtt_address,
            %alpn_address,
            "EMULATOR of IoT Core: started; this is not AWS"
        );
        Ok(Self {
            place: Mutex::new(Events::of(service.history.clone())),
            listeners: Arc::new(tokio::sync::Mutex::new(listeners)),
            account,
            service,
            mqtt_address,
            alpn_address,
            runtime,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// The name that clients must send as SNI; what `describe-endpoint` of type `iot:Data-ATS` would
    /// return on AWS.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.service.options.endpoint
    }

    /// Where the listener without ALPN is (AWS: port 8883).
    #[must_use]
    pub fn mqtt_address(&self) -> SocketAddr {
        self.mqtt_address
    }

    /// Where the listener that demands ALPN `x-amzn-mqtt-ca` is (AWS: port 443).
    #[must_use]
    pub fn alpn_address(&self) -> SocketAddr {
        self.alpn_address
    }

    /// The root that clients must trust, made at start; its name says EMULATOR.
    #[must_use]
    pub fn root_certificate_pem(&self) -> &str {
        &self.service.root_pem
    }

    /// The registry of certificates, things, policies and shadows.
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.account.registry
    }

    /// The registry of the account behind another endpoint; `None` if no account has that endpoint.
    #[must_use]
    pub fn registry_of(&self, endpoint: &str) -> Option<&Registry> {
        self.service.account(endpoint).map(|account| &account.registry)
    }

    /// Moves the emulator's clock forward, by which tokens and claims run out and throttles let go.
    pub fn advance_clock(&self, by: Duration) {
        self.service.clock.advance(by);
    }

    /// Publishes a message from the cloud side, as a rule or another client would. On a request
    /// topic of a shadow the shadow service answers.
    ///
    /// # Errors
    /// [`Error::Topic`] if the topic is empty or has wildcards, [`Error::Stopped`].
    pub fn publish(&self, topic: &str, payload: impl Into<Vec<u8>>, qos: Qos) -> Result<(), Error> {
        if topic.is_empty() || !valid_topic(topic) {
            return Err(Error::Topic(topic.to_owned()));
        }
        let (account, topic, payload) = (self.account.clone(), topic.to_owned(), payload.into());
        self.call(async move { account.publish(&topic, payload, qos).await })
    }

    /// Merges an object into the desired state of a thing's classic shadow; `null` removes a value.
    /// Returns the new version.
    ///
    /// # Errors
    /// [`Error::ThingName`], [`Error::Shadow`] if the shadow service rejects it, [`Error::Stopped`].
    pub fn set_desired(&self, thing: &str, desired: &Value) -> Result<u64, Error> {
        if !is_thing_name(thing) {
            return Err(Error::ThingName(thing.to_owned()));
        }
        let shadow = ShadowName { thing: thing.to_owned(), name: None };
        let body = json!({ "state": { "desired": desired } }).to_string();
        let account = self.account.clone();
        let version =
            self.call(async move { account.shadow(None, &shadow, Request::Update, body.as_bytes()).await })??;
        version.ok_or(Error::Stopped)
    }

    /// What the cloud side sees from now on, of all that is published to fitting topics. Ends when
    /// the receiver is dropped.
    ///
    /// # Errors
    /// [`Error::Topic`] if the filter is not valid, [`Error::Stopped`].
    pub fn subscribe(&self, filter: &str) -> Result<mpsc::Receiver<Message>, Error> {
        if !valid_filter(filter) {
            return Err(Error::Topic(filter.to_owned()));
        }
        let (account, filter) = (self.account.clone(), filter.to_owned());
        self.call(async move { account.broker.observe(&filter).await })?
    }

    /// The history of events from its beginning, at most the newest 65,536.
    #[must_use]
    pub fn events(&self) -> Events {
        Events::of(self.service.history.clone())
    }

    /// Waits for an event that fits. Begins behind the event that the previous call returned, so a
    /// sequence of calls follows a sequence of events. For several threads take [`IotCore::events`].
    ///
    /// # Errors
    /// [`Timeout`] with the newest events, if none fits within the limit.
    pub fn wait_for(&self, limit: Duration, fits: impl FnMut(&Event) -> bool) -> Result<Event, Timeout> {
        lock(&self.place).wait_for(limit, fits)
    }

    /// Cuts all connections, as a restart on AWS's side would; tells how many there were. Clients
    /// may dial again at once. The events tell when each has ended.
    pub fn disconnect_all(&self) -> usize {
        self.service.connections.cut_all()
    }

    /// Closes both listeners, so that dialling is refused. Open connections go on.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub fn stop_listening(&self) -> Result<(), Error> {
        let listeners = self.listeners.clone();
        self.call(async move { listeners.lock().await.stop().await })
    }

    /// Opens both listeners again on the same addresses.
    ///
    /// # Errors
    /// [`Error::Bind`] if somebody else has taken a port meanwhile, [`Error::Stopped`].
    pub fn resume_listening(&self) -> Result<(), Error> {
        let listeners = self.listeners.clone();
        self.call(async move { listeners.lock().await.resume() })?
    }

    /// Runs something on the emulator's thread and waits for its result.
    fn call<T: Send + 'static>(&self, task: impl Future<Output = T> + Send + 'static) -> Result<T, Error> {
        let (sender, answer) = mpsc::sync_channel(1);
        self.runtime.spawn(async move {
            let _ = sender.send(task.await);
        });
        answer.recv_timeout(ANSWER_LIMIT).map_err(|_| Error::Stopped)
    }
}

impl Drop for IotCore {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        tracing::info!("EMULATOR of IoT Core: stopped");
    }
}

impl std::fmt::Debug for IotCore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IotCore")
            .field("endpoint", &self.endpoint())
            .field("mqtt_address", &self.mqtt_address)
            .field("alpn_address", &self.alpn_address)
            .finish_non_exhaustive()
    }
}

type Started = (Arc<Service>, Listeners, Handle);

/// The thread: a runtime that lives until the handle is dropped.
fn run(options: Options, started: &mpsc::SyncSender<Result<Started, Error>>, stopped: oneshot::Receiver<()>) {
    let runtime = match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            let _ = started.send(Err(error.into()));
            return;
        }
    };
    runtime.block_on(async {
        let service = async {
            let service = Arc::new(Service::start(options).await?);
            let listeners = Listeners::open(service.clone())?;
            Ok((service, listeners, Handle::current()))
        };
        let service = service.await;
        let failed = service.is_err();
        // Nobody is there to hear it if `start` has given up.
        if started.send(service).is_err() || failed {
            return;
        }
        // Ends when the handle drops its sender.
        let _ = stopped.await;
    });
    runtime.shutdown_timeout(STOP_LIMIT);
}
