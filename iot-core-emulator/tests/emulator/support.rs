//! A certificate, a registered thing, and an MQTT client on a thread of its own.

use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use iot_core_emulator::{CertificateId, IotCore, Options, Status};
use rcgen::{BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair};
use rumqttc::{AsyncClient, Event, MqttOptions, Packet, PublishOptions, QoS, TlsConfiguration, Transport};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion};
use tokio::sync::oneshot;

/// No step of these tests takes longer.
pub(crate) const LIMIT: Duration = Duration::from_secs(10);
/// How long is waited for what must not happen.
pub(crate) const QUIET: Duration = Duration::from_millis(300);
/// Allows each thing its own topics and its own shadows.
const POLICY: &str = r#"{
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "iot:Connect",
         "Resource": "arn:aws:iot:*:*:client/${iot:Connection.Thing.ThingName}"},
        {"Effect": "Allow", "Action": ["iot:Publish", "iot:Receive", "iot:RetainPublish"],
         "Resource": ["arn:aws:iot:*:*:topic/gw/${iot:ClientId}/*",
                      "arn:aws:iot:*:*:topic/$aws/things/${iot:ClientId}/shadow/*"]},
        {"Effect": "Allow", "Action": "iot:Subscribe",
         "Resource": ["arn:aws:iot:*:*:topicfilter/gw/${iot:ClientId}/*",
                      "arn:aws:iot:*:*:topicfilter/$aws/things/${iot:ClientId}/shadow/*"]},
        {"Effect": "Deny", "Action": "iot:Receive",
         "Resource": "arn:aws:iot:*:*:topic/gw/*/hidden"}
    ]
}"#;

pub(crate) fn cloud() -> IotCore {
    let cloud = IotCore::start(Options::default()).unwrap();
    cloud.registry().create_policy("gateway", POLICY).unwrap();
    cloud
}

/// A self-signed client certificate with its key in software.
pub(crate) struct Identity {
    pub(crate) certificate: CertificateDer<'static>,
    key: Vec<u8>,
}

impl Identity {
    pub(crate) fn new(common_name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, common_name);
        let certificate = params.self_signed(&key).unwrap().der().clone();
        Self { certificate, key: key.serialize_der() }
    }

    /// An identity whose certificate an authority signed, with this subject.
    pub(crate) fn signed_by(authority: &Authority, subject: &[(DnType, &str)]) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        for (kind, value) in subject {
            params.distinguished_name.push(kind.clone(), *value);
        }
        let certificate = params.signed_by(&key, &authority.issuer).unwrap().der().clone();
        Self { certificate, key: key.serialize_der() }
    }

    /// A certificate and key in PEM, as AWS hands them out.
    pub(crate) fn from_pem(certificate: &str, key: &str) -> Self {
        let certificate = CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap();
        let key = PrivatePkcs8KeyDer::from_pem_slice(key.as_bytes()).unwrap();
        Self { certificate, key: key.secret_pkcs8_der().to_vec() }
    }

    /// A new identity, registered, with a thing of the given name and the policy attached.
    pub(crate) fn registered(cloud: &IotCore, thing: &str, status: Status) -> (Self, CertificateId) {
        let identity = Self::new(thing);
        let registry = cloud.registry();
        let id = registry.register_certificate(&identity.certificate, status).unwrap();
        registry.create_thing(thing, &[]).unwrap();
        registry.attach_thing(thing, &id).unwrap();
        registry.attach_policy("gateway", &id).unwrap();
        (identity, id)
    }

    pub(crate) fn tls(
        &self,
        cloud: &IotCore,
        versions: &[&'static SupportedProtocolVersion],
    ) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(cloud.root_certificate_pem().as_bytes()).unwrap()).unwrap();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(self.key.clone()));
        ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots)
            .with_client_auth_cert(vec![self.certificate.clone()], key)
            .unwrap()
    }
}

/// An authority of an owner's.
pub(crate) struct Authority {
    pub(crate) certificate: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap().der().clone();
        Self { certificate, issuer: Issuer::new(params, key) }
    }
}

/// The packet CONNECT for client id "gw-1".
pub(crate) const CONNECT: &[u8] = b"\x10\x10\x00\x04MQTT\x04\x02\x00\x1e\x00\x04gw-1";

/// Bare TLS to the first listener.
pub(crate) type Stream = StreamOwned<ClientConnection, TcpStream>;

pub(crate) fn open(cloud: &IotCore, config: Arc<ClientConfig>) -> Stream {
    let name = ServerName::try_from(cloud.endpoint().to_owned()).unwrap();
    let socket = TcpStream::connect(cloud.mqtt_address()).unwrap();
    socket.set_read_timeout(Some(LIMIT)).unwrap();
    StreamOwned::new(ClientConnection::new(config, name).unwrap(), socket)
}

/// How to dial; [`Dial::new`] is right in everything.
pub(crate) struct Dial {
    pub(crate) address: SocketAddr,
    pub(crate) server_name: String,
    pub(crate) tls: ClientConfig,
    pub(crate) clean_session: bool,
}

impl Dial {
    pub(crate) fn new(cloud: &IotCore, identity: &Identity) -> Self {
        Self {
            address: cloud.mqtt_address(),
            server_name: cloud.endpoint().to_owned(),
            tls: identity.tls(cloud, rustls::ALL_VERSIONS),
            clean_session: true,
        }
    }

    pub(crate) fn connect(self, client_id: &str) -> Device {
        let mut options = MqttOptions::new(client_id, (self.server_name, 8883));
        options.set_keep_alive(30);
        options.set_clean_session(self.clean_session);
        options.set_max_packet_size(1 << 20, 1 << 20);
        options.set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(Arc::new(self.tls))));
        // The server name above goes into SNI; the socket is dialled elsewhere.
        let address = self.address;
        options.set_socket_connector(move |_host, network| {
            rumqttc::default_socket_connect(address.to_string(), network)
        });
        Device::start(options)
    }
}

/// An MQTT client; after an error it dials again, until it is dropped.
pub(crate) struct Device {
    pub(crate) client: AsyncClient,
    seen: Receiver<Result<Event, String>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Device {
    fn start(options: MqttOptions) -> Self {
        let (client, mut events) = AsyncClient::builder(options).capacity(64).build();
        let (sender, seen) = channel();
        let (stop, stopped) = oneshot::channel::<()>();
        let poll = async move {
            loop {
                let event = events.poll().await;
                let failed = event.is_err();
                let _ = sender.send(event.map_err(|error| format!("{error:?}")));
                if failed {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        };
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            // `poll` must not be cancelled before the end, for example to look for a stop now and
            // then: cancelled while it dials, it forgets the connection.
            runtime.block_on(async {
                tokio::select! { () = poll => {}, _ = stopped => {} }
            });
        });
        Self { client, seen, stop: Some(stop), thread: Some(thread) }
    }

    pub(crate) fn publish(&self, topic: &str, payload: impl Into<Vec<u8>>, qos: QoS) {
        self.client.try_publish(topic, payload.into(), PublishOptions::new(qos)).unwrap();
    }

    /// Subscribes and waits for the answer.
    pub(crate) fn subscribe(&self, filter: &str) {
        self.client.try_subscribe(filter, QoS::AtLeastOnce).unwrap();
        self.wait_for(|packet| matches!(packet, Packet::SubAck(_)));
    }

    /// Waits for a packet from the cloud.
    pub(crate) fn wait_for(&self, mut fits: impl FnMut(&Packet) -> bool) -> Packet {
        let end = Instant::now() + LIMIT;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match self.seen.recv_timeout(left).expect("no such packet in time") {
                Ok(Event::Incoming(packet)) if fits(&packet) => return packet,
                _ => {}
            }
        }
    }

    pub(crate) fn wait_for_connack(&self) -> bool {
        match self.wait_for(|packet| matches!(packet, Packet::ConnAck(_))) {
            Packet::ConnAck(ack) => ack.session_present,
            _ => unreachable!(),
        }
    }

    /// Waits for a message; gives topic and payload.
    pub(crate) fn wait_for_message(&self) -> (String, Vec<u8>) {
        match self.wait_for(|packet| matches!(packet, Packet::Publish(_))) {
            Packet::Publish(publish) => {
                (String::from_utf8(publish.topic.to_vec()).unwrap(), publish.payload.to_vec())
            }
            _ => unreachable!(),
        }
    }

    /// Waits for an error of the client, and gives its text.
    pub(crate) fn wait_for_error(&self) -> String {
        let end = Instant::now() + LIMIT;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if let Err(error) = self.seen.recv_timeout(left).expect("no error in time") {
                return error;
            }
        }
    }

    /// Whether a message comes although none should.
    pub(crate) fn hears_something(&self) -> bool {
        let end = Instant::now() + QUIET;
        while let Ok(event) = self.seen.recv_timeout(end.saturating_duration_since(Instant::now())) {
            if matches!(event, Ok(Event::Incoming(Packet::Publish(_)))) {
                return true;
            }
        }
        false
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}
