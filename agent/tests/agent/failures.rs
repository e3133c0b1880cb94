//! What goes wrong ends in one sentence that says what to do.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use atecc_agent::config::Config;
use atecc_agent::supervisor::{Agent, Error};
use atecc_agent::tls::Versions;
use identity::{Identity, Sign, SignatureScheme};
use iot_core_emulator::{Listener, Status};
use rustls::pki_types::{CertificateDer, pem::PemObject};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection};

use crate::stage::{Running, Stage};
use crate::{LIMIT, foreign_root, reason, registered};

fn once(agent: Agent) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let start = Instant::now();
    let error = runtime.block_on(agent.once(std::future::pending())).unwrap_err();
    assert!(start.elapsed() < Duration::from_secs(5), "{:?} for {error}", start.elapsed());
    let text = error.to_string();
    assert!(!text.contains('\n'), "{text}");
    text
}

fn config(stage: &Stage) -> Config {
    stage.config(Listener::Alpn).unwrap()
}

#[test]
fn a_wrong_root_is_told_with_the_name_of_the_file() {
    let stage = registered();
    let mut config = config(&stage);
    config.ca_file = foreign_root(stage.folder.path());
    let text = once(Agent::new(config, &stage.identity).unwrap());
    let expected = "the server's certificate is not signed by the CA in ";
    assert!(text.starts_with(expected) && text.contains("foreign.pem"), "{text}");
    assert_eq!(stage.token.statistics().signatures, 0, "nothing is signed for a stranger");
}

#[test]
fn the_daemon_tells_of_a_wrong_root_and_tries_again() {
    let stage = registered();
    let mut config = config(&stage);
    config.ca_file = foreign_root(stage.folder.path());
    let mut agent = Running::start(Agent::new(config, &stage.identity).unwrap()).unwrap();
    let mut place = 0;
    for _ in 0..2 {
        let text = agent.wait_for(place, LIMIT, "a failure", reason).unwrap();
        assert!(text.starts_with("the server's certificate is not signed"), "{text}");
        place = agent.now();
    }
    agent.stop().unwrap();
}

#[test]
fn a_missing_ca_file_is_a_mistake_in_the_configuration() {
    let stage = registered();
    let mut config = config(&stage);
    config.ca_file = stage.folder.path().join("nowhere.pem");
    let error = Agent::new(config, &stage.identity).unwrap_err();
    assert!(error.is_configuration() && matches!(error, Error::Tls(_)), "{error}");
    assert!(error.to_string().contains("nowhere.pem"), "{error}");
}

#[test]
fn an_unknown_certificate_is_told_as_such() {
    let stage = Stage::new().unwrap();
    let text = once(Agent::new(config(&stage), &stage.identity).unwrap());
    assert!(text.starts_with("the server closed the connection before CONNACK, "), "{text}");
    assert!(text.contains("just in time") && text.contains("is the certificate, "), "{text}");
}

#[test]
fn an_inactive_certificate_is_told_apart_from_an_unknown_one() {
    let stage = registered();
    stage.cloud.registry().set_status(&stage.certificate, Status::Inactive).unwrap();
    let text = once(Agent::new(config(&stage), &stage.identity).unwrap());
    assert!(text.contains("code 7") && text.contains("not authorised"), "{text}");
}

#[test]
fn a_client_id_that_the_policy_forbids_is_told() {
    let stage = registered();
    let text = format!(
        "endpoint = '{}'\naddress = '{}'\nca_file = 'ca.pem'\nclient_id = 'somebody-else'\n",
        stage.cloud.endpoint(),
        stage.cloud.mqtt_address()
    );
    let config = Config::parse(&text, &stage.folder.path().join("agent.toml")).unwrap();
    let text = once(Agent::new(config, &stage.identity).unwrap());
    assert!(text.contains("client id"), "{text}");
}

#[test]
fn a_server_that_trusts_another_authority_refuses_in_the_handshake() {
    let stage = registered();
    let address = strict_server(stage.folder.path());
    let text = format!("endpoint = 'strict.test'\naddress = '{address}'\nca_file = 'strict.pem'\n");
    let config = Config::parse(&text, &stage.folder.path().join("agent.toml")).unwrap();
    for versions in [Versions::Tls12, Versions::Tls13] {
        let text = once(Agent::with_versions(config.clone(), &stage.identity, versions).unwrap());
        assert!(text.starts_with("strict.test refuses our certificate (TLS alert "), "{text}");
    }
}

/// A TLS server that demands certificates of an authority of its own, and tells so by an alert. Its
/// certificate is in strict.pem.
fn strict_server(folder: &Path) -> SocketAddr {
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate =
        rcgen::CertificateParams::new(vec!["strict.test".to_owned()]).unwrap().self_signed(&key).unwrap();
    std::fs::write(folder.join("strict.pem"), certificate.pem()).unwrap();
    let mut trusted = RootCertStore::empty();
    let foreign = CertificateDer::from_pem_file(foreign_root(folder)).unwrap();
    trusted.add(foreign).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(trusted), provider.clone());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier.build().unwrap())
        .with_single_cert(
            vec![certificate.der().clone()],
            rustls::pki_types::PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        )
        .unwrap();
    let (config, listener) = (Arc::new(config), TcpListener::bind("127.0.0.1:0").unwrap());
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut session = ServerConnection::new(config.clone()).unwrap();
            while session.complete_io(&mut stream).is_ok() {}
            // Sent before the alert is read, CONNECT would make the system reset the connection.
            while matches!(std::io::Read::read(&mut stream, &mut [0; 512]), Ok(1..)) {}
        }
    });
    address
}

#[test]
fn a_forgotten_alpn_is_suspected() {
    let stage = registered();
    let mut config = config(&stage);
    config.alpn = None;
    let text = once(Agent::new(config, &stage.identity).unwrap());
    assert!(text.contains("port") || text.contains("TLS handshake"), "{text}");
}

#[test]
fn another_server_than_the_endpoint_is_told() {
    let stage = registered();
    let text =
        format!("endpoint = 'other.test'\naddress = '{}'\nca_file = 'ca.pem'\n", stage.cloud.mqtt_address());
    let config = Config::parse(&text, &stage.folder.path().join("agent.toml")).unwrap();
    let text = once(Agent::new(config, &stage.identity).unwrap());
    assert!(text.contains("other.test") && text.contains("endpoint"), "{text}");
}

#[test]
fn a_chip_that_does_not_sign_is_not_taken_for_a_network_problem() {
    let stage = registered();
    let identity = Identity::held_by(stage.identity.chain().to_vec(), Unplugged).unwrap();
    for versions in [Versions::Tls12, Versions::Tls13] {
        let text = once(Agent::with_versions(config(&stage), &identity, versions).unwrap());
        assert!(text.contains("no signature: ") && text.contains("no chip answers at 0x35"), "{text}");
    }
}

struct Unplugged;

impl Sign for Unplugged {
    fn sign(&self, _: SignatureScheme, _: &[u8]) -> Result<Vec<u8>, identity::Error> {
        let problem = "no chip answers at 0x35".to_owned();
        Err(identity::Error::Pkcs11 { token: "unplugged".to_owned(), problem })
    }
}

impl std::fmt::Display for Unplugged {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a chip that is not there")
    }
}
