//! Mutual TLS as an [`Identity`], whose key may be anywhere.
//!
//! rustls does the protocol and ring the arithmetic; only the one signature of a handshake comes from
//! elsewhere. AWS issues no session tickets, so every connection is a full handshake and costs exactly one
//! signature.

mod error;
mod roots;
mod signer;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use identity::Identity;
use rustls::client::Resumption;
use rustls::crypto::ring;
use rustls::pki_types::ServerName;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, SupportedProtocolVersion};
use sha2::{Digest, Sha256};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};

pub use error::Error;
pub use roots::Roots;

/// The ALPN protocol by which AWS tells MQTT from HTTPS on port 443.
pub const ALPN_AWS_MQTT: &str = "x-amzn-mqtt-ca";

/// Which versions of TLS may be negotiated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Versions {
    /// 1.3, or 1.2 if the server knows no better.
    #[default]
    Both,
    /// 1.2 only.
    Tls12,
    /// 1.3 only.
    Tls13,
}

/// Makes TLS connections to one server, as one identity.
#[derive(Clone)]
pub struct Connector {
    config: Arc<ClientConfig>,
    server_name: ServerName<'static>,
    endpoint: String,
    certificate_id: String,
    roots: Roots,
}

/// What a handshake agreed on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Handshake {
    /// The registered name of the version, for example `TLSv1_3`.
    pub version: String,
    /// The registered name of the cipher suite.
    pub cipher_suite: String,
    /// The protocol chosen by ALPN.
    pub alpn: Option<String>,
    /// From the first byte sent to the last one needed, the chip's signature included.
    pub took: Duration,
}

impl Connector {
    /// A connector to `endpoint`, which is sent as SNI and must stand in the server's certificate.
    ///
    /// # Errors
    /// When the endpoint is no host name.
    pub fn new(
        identity: &Identity,
        roots: Roots,
        endpoint: &str,
        alpn: Option<&str>,
        versions: Versions,
    ) -> Result<Self, Error> {
        let server_name =
            ServerName::try_from(endpoint.to_owned()).map_err(|_| Error::Endpoint(endpoint.to_owned()))?;
        let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(versions.supported())
            .map_err(Error::Settings)?
            .with_root_certificates(roots.store.clone())
            .with_client_cert_resolver(Arc::new(signer::Resolver::new(identity)));
        config.resumption = Resumption::disabled();
        config.alpn_protocols.extend(alpn.map(|protocol| protocol.as_bytes().to_vec()));
        let digest = identity.chain().first().map(Sha256::digest).unwrap_or_default();
        let certificate_id = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let endpoint = endpoint.to_owned();
        Ok(Self { config: Arc::new(config), server_name, endpoint, certificate_id, roots })
    }

    /// The id that our certificate has in the registry of AWS: the SHA-256 of its DER form, in hexadecimal.
    pub fn certificate_id(&self) -> &str {
        &self.certificate_id
    }

    /// The server's name.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The file that holds the roots.
    pub fn ca_file(&self) -> &Path {
        &self.roots.file
    }

    /// Shakes hands over `stream`. Blocks the thread while the key signs.
    pub(crate) async fn connect(
        &self,
        stream: TcpStream,
    ) -> Result<(TlsStream<TcpStream>, Handshake), Error> {
        let start = Instant::now();
        let connector = TlsConnector::from(self.config.clone());
        let stream = connector.connect(self.server_name.clone(), stream).await.map_err(|source| {
            Error::from_stream(&source, &self.endpoint, &self.roots.file)
                .unwrap_or_else(|| Error::Broken { endpoint: self.endpoint.clone(), source })
        })?;
        let (_, session) = stream.get_ref();
        let name = |text: Option<String>| text.unwrap_or_else(|| "unknown".to_owned());
        let handshake = Handshake {
            version: name(session.protocol_version().map(|version| format!("{version:?}"))),
            cipher_suite: name(session.negotiated_cipher_suite().map(|suite| format!("{:?}", suite.suite()))),
            alpn: session.alpn_protocol().map(|protocol| String::from_utf8_lossy(protocol).into_owned()),
            took: start.elapsed(),
        };
        Ok((stream, handshake))
    }
}

static SUPPORTED: [&SupportedProtocolVersion; 2] = [&TLS13, &TLS12];

impl Versions {
    fn supported(self) -> &'static [&'static SupportedProtocolVersion] {
        match self {
            Self::Both => &SUPPORTED,
            Self::Tls12 => &SUPPORTED[1..],
            Self::Tls13 => &SUPPORTED[..1],
        }
    }
}
