//! TLS as the endpoint speaks it (developer guide, "Transport security in AWS IoT Core").

use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ClientHello, NoServerSessionStorage};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, ServerConfig, SignatureScheme};

use crate::authority::Authority;
use crate::event::Listener;
use crate::{Error, Reason, certificate};

/// The protocol that MQTT clients with a certificate offer on port 443.
const ALPN: &[u8] = b"x-amzn-mqtt-ca";

/// The configurations of the two listeners.
pub(crate) struct Tls {
    mqtt: Arc<ServerConfig>,
    alpn: Arc<ServerConfig>,
}

impl Tls {
    /// Both listeners show the same certificate; they differ in ALPN only.
    pub(crate) fn new(authority: Authority) -> Result<Self, Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = Arc::new(AnyCertificate::new(&provider));
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(rustls::ALL_VERSIONS)?
            .with_client_cert_verifier(verifier)
            .with_single_cert(vec![authority.server], authority.server_key)?;
        // AWS supports neither session ids nor tickets: every reconnect is a full handshake.
        config.send_tls13_tickets = 0;
        config.session_storage = Arc::new(NoServerSessionStorage {});
        let mut alpn = config.clone();
        alpn.alpn_protocols = vec![ALPN.to_vec()];
        Ok(Self { mqtt: Arc::new(config), alpn: Arc::new(alpn) })
    }

    /// The configuration to answer this ClientHello with, or why it is refused.
    pub(crate) fn choose(
        &self,
        hello: &ClientHello<'_>,
        listener: Listener,
    ) -> Result<Arc<ServerConfig>, Reason> {
        match listener {
            // On 8883 no protocol is chosen, whatever the client offers.
            Listener::Mqtt => Ok(self.mqtt.clone()),
            Listener::Alpn => {
                let offered =
                    hello.alpn().is_some_and(|mut offered| offered.any(|protocol| protocol == ALPN));
                if offered { Ok(self.alpn.clone()) } else { Err(Reason::NoAlpn) }
            }
        }
    }
}

/// Demands a certificate and proof of its key, and asks no more: certificates are registered
/// without a CA, so the registry decides, and it does so at the CONNECT packet.
#[derive(Debug)]
struct AnyCertificate {
    algorithms: WebPkiSupportedAlgorithms,
}

impl AnyCertificate {
    fn new(provider: &CryptoProvider) -> Self {
        Self { algorithms: provider.signature_verification_algorithms }
    }
}

impl ClientCertVerifier for AnyCertificate {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        match certificate::check(end_entity) {
            Ok(()) => Ok(ClientCertVerified::assertion()),
            Err(_) => Err(CertificateError::BadEncoding.into()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
