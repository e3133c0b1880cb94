//! A double of the broker in the cloud: what it acknowledges is in its file, and the file is on disk.
//!
//! `gateway double --port N --folder PKI --log FILE`, as a process of its own, so that it can be killed.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use rumqttc::{ConnAck, ConnectReturnCode, Packet, PubAck, SubAck, SubscribeReasonCode};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};

use super::Result;
use super::wire::{Wire, text};

/// What AWS allows to be without acknowledgement on a connection.
const IN_FLIGHT: usize = 100;

/// What all connections share.
struct Double {
    log: Mutex<File>,
    connections: AtomicUsize,
    /// Client ids with their connections: a new one ends the old one, as at AWS.
    connected: Mutex<Vec<(String, TcpStream)>>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Where it listens, on 127.0.0.1.
    #[arg(long, default_value_t = 8883)]
    port: u16,
    /// Its keys and certificates.
    #[arg(long, default_value = ".")]
    folder: PathBuf,
    /// Gets what it acknowledges.
    #[arg(long, default_value = "double.log")]
    log: PathBuf,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let config = Arc::new(config(&options.folder)?);
    let log = Mutex::new(open_log(&options.log)?);
    let double = Arc::new(Double { log, connections: AtomicUsize::new(0), connected: Mutex::default() });
    let listener = TcpListener::bind(("127.0.0.1", options.port))?;
    for stream in listener.incoming() {
        let (stream, config, double) = (stream?, config.clone(), double.clone());
        // A connection that ends is no news; what it brought is in the file.
        thread::spawn(move || drop(double.serve(stream, config)));
    }
    Ok(())
}

/// The file, without a line that was cut when the last process was killed: it was not acknowledged.
fn open_log(path: &Path) -> Result<File> {
    let mut log = OpenOptions::new().read(true).append(true).create(true).open(path)?;
    let mut bytes = Vec::new();
    log.read_to_end(&mut bytes)?;
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    log.set_len(u64::try_from(whole)?)?;
    log.seek(SeekFrom::End(0))?;
    log.sync_all()?;
    Ok(log)
}

impl Double {
    fn serve(&self, stream: TcpStream, config: Arc<ServerConfig>) -> Result<()> {
        stream.set_nodelay(true)?;
        let ours = stream.try_clone()?;
        let mut wire = Wire::new(StreamOwned::new(ServerConnection::new(config)?, stream));
        let Packet::Connect(connect) = wire.next()? else { return Err("no CONNECT".into()) };
        self.take_over(connect.client_id, ours);
        // Each line says which connection brought it.
        let number = self.connections.fetch_add(1, Ordering::SeqCst);
        let name = format!("{}-{number}", std::process::id());
        self.write(&["!connected\n".to_owned()])?;
        wire.put(&Packet::ConnAck(ConnAck::new(ConnectReturnCode::Success, false)))?;
        wire.flush()?;
        loop {
            let (mut lines, mut ids) = (Vec::new(), Vec::new());
            while let Some(packet) = wire.ready()? {
                match packet {
                    Packet::Publish(publish) => {
                        let payload = String::from_utf8_lossy(&publish.payload);
                        lines.push(format!("{name} {} {payload}\n", text(&publish.topic)));
                        ids.push(publish.pkid);
                    }
                    Packet::Subscribe(subscribe) => {
                        let granted =
                            subscribe.filters.iter().map(|filter| SubscribeReasonCode::Success(filter.qos));
                        wire.put(&Packet::SubAck(SubAck::new(subscribe.pkid, granted.collect())))?;
                    }
                    Packet::PingReq => wire.put(&Packet::PingResp)?,
                    Packet::Disconnect => return Ok(()),
                    other => return Err(format!("{other:?}").into()),
                }
            }
            if ids.len() > IN_FLIGHT {
                lines.push(format!("!violation {} messages without acknowledgement\n", ids.len()));
            }
            if !lines.is_empty() {
                self.write(&lines)?;
            }
            for id in ids {
                wire.put(&Packet::PubAck(PubAck::new(id)))?;
            }
            wire.flush()?;
            wire.receive()?;
        }
    }

    fn take_over(&self, client_id: String, stream: TcpStream) {
        let mut connected = self.connected.lock().unwrap_or_else(PoisonError::into_inner);
        connected.retain(|(id, stream)| {
            if *id == client_id {
                // It may have gone by itself.
                let _ = stream.shutdown(Shutdown::Both);
            }
            *id != client_id
        });
        connected.push((client_id, stream));
    }

    /// Returns when it is on disk.
    fn write(&self, lines: &[String]) -> Result<()> {
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        log.write_all(lines.concat().as_bytes())?;
        Ok(log.sync_data()?)
    }
}

/// Lets in who proves a certificate of the gateways' root.
fn config(folder: &Path) -> Result<ServerConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(folder.join("gateways.pem"))?)?;
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build()?;
    let certificate = CertificateDer::from_pem_file(folder.join("server.pem"))?;
    let key = PrivateKeyDer::from_pem_file(folder.join("server.key"))?;
    Ok(ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(verifier)
        .with_single_cert(vec![certificate], key)?)
}
