//! A broker that looks at the clock: when each CONNECT came, and what each SUBSCRIBE asked for.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use bytes::BytesMut;
use rumqttc::{ConnAck, ConnectReturnCode, Packet, SubAck, SubscribeReasonCode};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{Read, Write};

/// What it does with a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    Serve,
    Refuse(ConnectReturnCode),
    CutBeforeTls,
    CutAfterConnect,
    CutAfterConnack,
}

/// What it saw.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) connects: Vec<Instant>,
    pub(crate) subscribes: Vec<Vec<String>>,
}

pub(crate) struct Double {
    pub(crate) address: SocketAddr,
    pub(crate) roots: PathBuf,
    pub(crate) seen: Arc<Mutex<Seen>>,
    _folder: tempfile::TempDir,
}

/// Its name in its certificate.
pub(crate) const NAME: &str = "double.test";
/// A filter that it refuses.
pub(crate) const FORBIDDEN: &str = "forbidden/#";

impl Double {
    /// Does `deeds` in their order, and the first again after the last.
    pub(crate) fn start(deeds: Vec<Deed>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate =
            rcgen::CertificateParams::new(vec![NAME.to_owned()]).unwrap().self_signed(&key).unwrap();
        let roots = folder.path().join("double.pem");
        std::fs::write(&roots, certificate.pem()).unwrap();
        let key = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, config, seen) =
            (listener.local_addr().unwrap(), Arc::new(config), Arc::<Mutex<Seen>>::default());
        let told = seen.clone();
        std::thread::spawn(move || {
            for (stream, deed) in listener.incoming().map_while(Result::ok).zip(deeds.iter().cycle()) {
                // The client comes to the end of its connections by itself.
                let _ = serve(stream, &config, *deed, &told);
            }
        });
        Self { address, roots, seen, _folder: folder }
    }
}

fn serve(
    stream: TcpStream,
    config: &Arc<ServerConfig>,
    deed: Deed,
    seen: &Mutex<Seen>,
) -> std::io::Result<()> {
    if deed == Deed::CutBeforeTls {
        return Ok(());
    }
    let mut tls = StreamOwned::new(ServerConnection::new(config.clone()).unwrap(), stream);
    let mut buffer = BytesMut::new();
    loop {
        let packet = match Packet::read(&mut buffer, 1 << 20) {
            Ok(packet) => packet,
            Err(_) => {
                let mut bytes = [0; 4096];
                match tls.read(&mut bytes)? {
                    0 => return Ok(()),
                    length => buffer.extend_from_slice(&bytes[..length]),
                }
                continue;
            }
        };
        let mut out = BytesMut::new();
        let answer = match packet {
            Packet::Connect(_) => {
                seen.lock().unwrap().connects.push(Instant::now());
                let code = match deed {
                    Deed::CutAfterConnect => return Ok(()),
                    Deed::Refuse(code) => code,
                    _ => ConnectReturnCode::Success,
                };
                Packet::ConnAck(ConnAck::new(code, false))
            }
            Packet::Subscribe(subscribe) => {
                let filters = subscribe.filters.iter().map(|filter| filter.path.clone());
                let filters: Vec<String> = filters.collect();
                let granted = subscribe.filters.iter().map(|filter| match filter.path.as_str() {
                    FORBIDDEN => SubscribeReasonCode::Failure,
                    _ => SubscribeReasonCode::Success(filter.qos),
                });
                let answer = Packet::SubAck(SubAck::new(subscribe.pkid, granted.collect()));
                seen.lock().unwrap().subscribes.push(filters);
                answer
            }
            Packet::PingReq => Packet::PingResp,
            _ => continue,
        };
        answer.write(&mut out, 1 << 20).unwrap();
        tls.write_all(&out)?;
        tls.flush()?;
        if !matches!(deed, Deed::Serve) {
            tls.conn.send_close_notify();
            return tls.flush();
        }
    }
}
