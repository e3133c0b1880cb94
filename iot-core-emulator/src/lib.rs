//! An emulator of AWS IoT Core as a device sees it from outside, for demos and tests.
//!
//! **It is not AWS and must never stand in for it.** Its endpoint lies under a name reserved for
//! tests, its certificates and log lines say EMULATOR, and it listens on loopback unless told
//! otherwise. It keeps everything in memory and forgets it when dropped.
//!
//! A TLS front takes the decisions that AWS documents (who may connect, publish, subscribe; what is
//! too large; who is cut) and a broker library behind it routes the messages:
//!
//! ```text
//! device ──TLS──► listener ─► front ─────────────► session ──► broker library
//!                 8883, 443   SNI, ALPN,            policy,       │
//!                             certificate, CONNECT  limits     shadows, provisioning ──► answers
//! ```
//!
//! What is enforced, each under the page of the AWS IoT Core developer guide that it follows:
//!
//! | topic | behaviour | page |
//! |---|---|---|
//! | TLS | 1.2 and 1.3, client certificate demanded, no session resumption | Transport security |
//! | SNI | must be the endpoint of an account, and chooses it; else the socket is closed | Transport security |
//! | ALPN | `x-amzn-mqtt-ca` on the second listener | Device communication protocols |
//! | certificate | unknown: closed without CONNACK; not active: CONNACK refused | X.509 client certificates |
//! | just in time | a certificate of a registered CA (SNI_ONLY) registers itself at CONNECT: PENDING_ACTIVATION, event, template, and the connection dropped | Just-in-time provisioning |
//! | fleet provisioning | by claim and by trusted user, with CSR or keys, JSON and CBOR, ownership tokens for an hour, pre-provisioning hooks | Device provisioning MQTT API |
//! | throttles | if asked for: CONNECTs of a client id, PUBLISHes of a connection, provisioning | Endpoints and quotas |
//! | policy | Connect, Publish, Subscribe, Receive, RetainPublish; denied means cut | AWS IoT Core policies |
//! | MQTT | 3.1.1, QoS 0 and 1, duplicate client id cuts the old connection, sessions kept for one hour | MQTT |
//! | retained | only to subscriptions without wildcards, never on reserved topics | MQTT |
//! | limits | payload 128 KB, topic 256 bytes and 7 slashes, 8 filters per packet | Endpoints and quotas |
//! | shadow | classic and named: get, update, delete, delta, documents | Device Shadow service |
//!
//! Left out: MQTT 5, WebSockets, HTTPS, custom authorisers, CAs in DEFAULT mode, thing types and
//! groups, jobs, Device Defender, rules, redelivery within a connection, at most 50 subscriptions per connection. Other topics below `$aws/` are routed like any topic, so a test can
//! play such a service with [`IotCore::subscribe`] and [`IotCore::publish`].
//!
//! ```
//! use iot_core_emulator::{IotCore, Options};
//!
//! let cloud = IotCore::start(Options::default())?;
//! cloud.registry().create_thing("gateway-1", &[])?;
//! cloud.set_desired("gateway-1", &serde_json::json!({ "led": "on" }))?;
//! let shadow = cloud.registry().shadow("gateway-1", None);
//! assert_eq!(shadow.map(|shadow| shadow["state"]["delta"]["led"].clone()), Some("on".into()));
//! # Ok::<(), iot_core_emulator::Error>(())
//! ```
#![forbid(unsafe_code)]

mod account;
mod authority;
mod broker;
mod certificate;
mod clock;
mod cloud;
mod codec;
mod connections;
mod error;
mod event;
mod front;
mod history;
mod issuer;
mod just_in_time;
mod limits;
mod listener;
mod options;
mod policy;
mod provisioning;
mod reason;
mod registry;
mod service;
mod session;
mod shadow;
mod template;
mod throttle;
mod tls;

use std::sync::{Mutex, MutexGuard, PoisonError};

pub use broker::Message;
pub use certificate::{CertificateId, Status};
pub use cloud::IotCore;
pub use error::{Error, Timeout};
pub use event::{Event, Listener, Qos};
pub use history::Events;
pub use options::Options;
pub use policy::Action;
pub use reason::Reason;
pub use registry::{CaCertificate, ProvisioningClaim, Registry};
pub use throttle::Throttles;

/// Locks, also after a panic elsewhere: nothing here is left half-changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
