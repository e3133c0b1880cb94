//! The way to the server: name, port, TLS.

use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;

use super::finding::{Finding, Findings};
use crate::dial;
use crate::mqtt::Options;
use crate::tls::{Connector, Error};

/// How long name, port and proxy may take.
const DIAL_LIMIT: Duration = Duration::from_secs(60);
const FIREWALL: &str = "check `endpoint`, `port`, and whether a firewall lets it through; port = 443 is let through by most, `proxy` leads through a proxy";
/// How long the handshake may take, with a chip that others use.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(60);

/// A connection to what the agent would dial, through its proxy if it has one.
pub(super) async fn dial(
    options: &Options,
    connector: &Connector,
    findings: &mut Findings<impl FnMut(&Finding)>,
) -> Option<TcpStream> {
    let dialler = match options.dialler(connector) {
        Ok(dialler) => dialler,
        Err(error) => {
            findings.refused("tcp", &error, "correct `address`");
            return None;
        }
    };
    let error = match timeout(DIAL_LIMIT, dialler.dial()).await {
        Ok(Ok(stream)) => {
            let peer = stream.peer_addr().map_or_else(|_| "somewhere".to_owned(), |peer| peer.to_string());
            findings.ok("tcp", format!("connected to {dialler}, at {peer}"));
            return Some(stream);
        }
        Ok(Err(error)) => error,
        Err(_) => {
            let found = format!("no connection to {dialler} within {DIAL_LIMIT:?}");
            findings.wrong("tcp", found, FIREWALL);
            return None;
        }
    };
    match &error {
        dial::Error::Lookup { host, source } => findings.wrong(
            "dns",
            format!("no address for {host}: {source}"),
            "check `endpoint`, `address`, the cable and the resolver (/etc/resolv.conf, resolvectl)",
        ),
        dial::Error::Connect { address, source } => {
            findings.wrong("tcp", format!("cannot connect to {address}: {source}"), FIREWALL);
        }
        _ => findings.refused("proxy", &error, "check `proxy`"),
    }
    None
}

/// Whether the handshake came about.
pub(super) async fn shake_hands(
    connector: &Connector,
    stream: TcpStream,
    findings: &mut Findings<impl FnMut(&Finding)>,
) -> bool {
    let error = match timeout(HANDSHAKE_LIMIT, connector.connect(stream)).await {
        Ok(Ok((_stream, handshake))) => {
            findings.ok(
                "server",
                format!("its certificate is for {} and leads to ca_file", connector.endpoint()),
            );
            let protocol = handshake.alpn.map(|protocol| format!(", ALPN {protocol}")).unwrap_or_default();
            let took = handshake.took.as_millis();
            findings.ok(
                "tls",
                format!("{}, {}{protocol}, in {took} ms", handshake.version, handshake.cipher_suite),
            );
            return true;
        }
        Ok(Err(error)) => error,
        Err(_) => {
            let found = format!("no handshake within {HANDSHAKE_LIMIT:?}");
            findings.wrong("tls", found, "is that a TLS port, and is the chip in use by many?");
            return false;
        }
    };
    let check = match &error {
        Error::UntrustedServer { .. } | Error::WrongServer { .. } => "server",
        Error::NotValidNow { .. } => "clock",
        Error::CertificateRefused { .. } => "registration",
        Error::Key { .. } | Error::Sign(_) => "signature",
        _ => "tls",
    };
    findings.refused(check, &error, "check `endpoint`, `port`, `alpn` and ca_file");
    false
}
