//! One connection from its first byte to CONNACK: TLS, certificate, CONNECT.

use std::sync::Arc;
use std::time::Duration;

use rumqttc::{ConnAck, Connect, ConnectReturnCode, Packet};
use rustls::server::Acceptor;
use tokio::io::{AsyncWriteExt, ReadHalf, WriteHalf, split};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;

use crate::account::Account;
use crate::codec::{Reader, encode, write};
use crate::event::{Event, Listener};
use crate::service::Service;
use crate::session::{Client, Session};
use crate::{Action, CertificateId, Reason, Status, certificate, limits};

/// How long the broker library may take for its CONNACK.
const BROKER_LIMIT: Duration = Duration::from_secs(10);
/// How long a refused client is given to read why.
const LINGER: Duration = Duration::from_millis(200);

pub(crate) type ClientReader = Reader<ReadHalf<TlsStream<TcpStream>>>;
pub(crate) type ClientWriter = WriteHalf<TlsStream<TcpStream>>;

/// Serves one connection until it ends, and records what happens.
pub(crate) async fn serve(service: Arc<Service>, socket: TcpStream, listener: Listener) {
    let mut ticket = service.connections.open();
    let connection = ticket.number;
    let arrival = Arrival { service: &service, connection, listener };
    let session = tokio::select! {
        session = arrival.session(socket) => session,
        reason = ticket.cut() => Err(reason),
    };
    match session {
        Ok(session) => {
            let client_id = session.client.id.clone();
            let reason = session.run(&mut ticket).await;
            service.history.record(Event::Disconnected { connection, client_id, reason });
        }
        Err(reason) => service.history.record(Event::Refused { connection, listener, reason }),
    }
}

/// A connection on its way to CONNACK.
struct Arrival<'a> {
    service: &'a Arc<Service>,
    connection: u64,
    listener: Listener,
}

impl Arrival<'_> {
    async fn session(&self, socket: TcpStream) -> Result<Session, Reason> {
        let options = &self.service.options;
        let (account, tls) = within(options.handshake_timeout, self.handshake(socket)).await?;
        let (certificate, certificate_id) = self.accepted(&tls)?;
        let account = account.clone();
        let (reader, mut writer) = split(tls);
        let mut reader = Reader::new(reader);
        let connect = within(options.connect_timeout, read_connect(&mut reader)).await?;
        if let Err(reason) = self.admit(&account, &certificate, &certificate_id, &connect).await {
            self.turn_away(&mut reader, &mut writer, &reason).await;
            return Err(reason);
        }
        self.service.connections.claim(self.connection, &account.number, &connect.client_id).await;

        let broker = &account.broker;
        let stream = broker.open().await.map_err(|_| Reason::Broker)?;
        let (broker_reader, mut broker_writer) = stream.into_split();
        let mut broker_reader = Reader::new(broker_reader);
        write(&mut broker_writer, &encode(&Packet::Connect(broker.connect(&connect)))?).await?;
        let answer = within(BROKER_LIMIT, broker_reader.next()).await.map_err(|_| Reason::Broker)?;
        let Packet::ConnAck(ConnAck { session_present, code: ConnectReturnCode::Success }) = answer.packet
        else {
            return Err(Reason::Broker);
        };
        write(&mut writer, &answer.bytes).await?;
        self.service.history.record(Event::Connected {
            connection: self.connection,
            client_id: connect.client_id.clone(),
            certificate_id: certificate_id.clone(),
            session_present,
        });
        let client = Client {
            connection: self.connection,
            id: connect.client_id,
            certificate_id,
            keep_alive: Duration::from_secs(connect.keep_alive.into()),
        };
        Ok(Session::new(account, client, reader, writer, broker_reader, broker_writer))
    }

    /// Reads the ClientHello, decides by SNI and ALPN, and completes the handshake.
    async fn handshake(&self, socket: TcpStream) -> Result<(&Arc<Account>, TlsStream<TcpStream>), Reason> {
        let failed = |error: std::io::Error| Reason::Tls(error.to_string());
        socket.set_nodelay(true).map_err(failed)?;
        let start = LazyConfigAcceptor::new(Acceptor::default(), socket).await.map_err(failed)?;
        let hello = start.client_hello();
        let name = hello.server_name().ok_or(Reason::NoServerName)?;
        let account = self.service.account(name).ok_or_else(|| Reason::WrongServerName(name.to_owned()))?;
        let config = self.service.tls.choose(&hello, self.listener)?;
        let stream = start.into_stream(config).await.map_err(failed)?;
        Ok((account, stream))
    }

    /// Records the handshake; gives the client certificate and its id.
    fn accepted(&self, tls: &TlsStream<TcpStream>) -> Result<(Vec<u8>, CertificateId), Reason> {
        let (_, session) = tls.get_ref();
        let certificate = session
            .peer_certificates()
            .and_then(<[_]>::first)
            .ok_or_else(|| Reason::Tls("no client certificate".to_owned()))?;
        let certificate_id = CertificateId::of(certificate);
        let debug = |value: Option<String>| value.unwrap_or_default();
        self.service.history.record(Event::TlsAccepted {
            connection: self.connection,
            listener: self.listener,
            version: debug(session.protocol_version().map(|version| format!("{version:?}"))),
            cipher_suite: debug(session.negotiated_cipher_suite().map(|s| format!("{:?}", s.suite()))),
            server_name: session.server_name().unwrap_or_default().to_owned(),
            alpn: session.alpn_protocol().map(|alpn| String::from_utf8_lossy(alpn).into_owned()),
            certificate_id: certificate_id.clone(),
            common_name: certificate::common_name(certificate),
        });
        Ok((certificate.to_vec(), certificate_id))
    }

    /// Asks the registry whether this client may connect.
    async fn admit(
        &self,
        account: &Arc<Account>,
        certificate: &[u8],
        certificate_id: &CertificateId,
        connect: &Connect,
    ) -> Result<(), Reason> {
        let registry = &account.registry;
        match registry.status(certificate_id) {
            Some(Status::Active) => {}
            None | Some(Status::PendingActivation) => {
                let delay = self.service.options.provisioning_delay;
                return Err(account.just_in_time(self.connection, certificate, certificate_id, delay).await);
            }
            Some(other) => return Err(Reason::CertificateNotActive(other)),
        }
        let id = &connect.client_id;
        limits::client_id(id)?;
        if !account.throttle.connect(id) {
            return Err(Reason::Throttled);
        }
        let authorise = |action, target: &str| {
            registry
                .authorise(certificate_id, id, action, target)
                .map_err(|resource| Reason::Denied { action, resource })
        };
        authorise(Action::Connect, id)?;
        let Some(will) = &connect.last_will else { return Ok(()) };
        limits::publish(&will.topic, will.message.len())?;
        if will.qos == rumqttc::QoS::ExactlyOnce {
            return Err(Reason::Qos2);
        }
        authorise(Action::Publish, &will.topic)?;
        if will.retain { authorise(Action::RetainPublish, &will.topic) } else { Ok(()) }
    }

    /// Sends the CONNACK that fits, if any, and closes.
    async fn turn_away(&self, reader: &mut ClientReader, writer: &mut ClientWriter, reason: &Reason) {
        let code = match reason {
            Reason::CertificateNotActive(_) | Reason::Denied { .. } => {
                Some(self.service.options.not_authorised_code)
            }
            Reason::BadClientId(_) => Some(ConnectReturnCode::BadClientId as u8),
            // Notably for an unknown certificate: the socket is closed without a word.
            _ => None,
        };
        if let Some(code) = code {
            let refusal = ConnAck::new(ConnectReturnCode::NotAuthorized, false);
            if let Ok(mut bytes) = encode(&Packet::ConnAck(refusal)) {
                // The codec knows only the codes of MQTT 3.1.1, so the last byte is set by hand.
                if let Some(last) = bytes.last_mut() {
                    *last = code;
                }
                let _ = write(writer, &bytes).await;
            }
        }
        // Unread bytes at the moment of closing would reset the connection and lose the CONNACK.
        let _ = timeout(LINGER, async {
            let _ = writer.shutdown().await;
            while reader.next().await.is_ok() {}
        })
        .await;
    }
}

async fn read_connect(reader: &mut ClientReader) -> Result<Connect, Reason> {
    match reader.next().await?.packet {
        Packet::Connect(connect) => Ok(connect),
        other => Err(Reason::Protocol(format!("{:?} before CONNECT", other.packet_type()))),
    }
}

/// Bounds a step that waits for the client.
async fn within<T>(limit: Duration, step: impl Future<Output = Result<T, Reason>>) -> Result<T, Reason> {
    timeout(limit, step).await.unwrap_or(Err(Reason::TooSlow(limit)))
}
