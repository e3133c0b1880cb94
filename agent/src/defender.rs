//! What AWS IoT Device Defender is told of this host (developer guide, page "Sending metrics from devices").

use std::collections::BTreeSet;
use std::net::SocketAddr;

use procfs::net::{TcpState, dev_status, tcp, tcp6, udp, udp6};
use serde::{Deserialize, Serialize};

/// Entries of a list that are told at most; the totals are of all.
const MOST: usize = 100;

/// A report. What the kernel does not tell is left out.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Report {
    header: Header,
    metrics: Metrics,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct Header {
    report_id: u64,
    version: &'static str,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct Metrics {
    #[serde(skip_serializing_if = "Option::is_none")]
    listening_tcp_ports: Option<Ports>,
    #[serde(skip_serializing_if = "Option::is_none")]
    listening_udp_ports: Option<Ports>,
    #[serde(skip_serializing_if = "Option::is_none")]
    network_stats: Option<Traffic>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tcp_connections: Option<Connections>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct Ports {
    ports: Vec<Port>,
    total: usize,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct Port {
    port: u16,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct Connections {
    established_connections: Established,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct Established {
    connections: Vec<Connection>,
    total: usize,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct Connection {
    local_port: u16,
    remote_addr: String,
}

/// Bytes and packets over all interfaces but the loopback one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Traffic {
    bytes_in: u64,
    bytes_out: u64,
    packets_in: u64,
    packets_out: u64,
}

/// The service's answer to a report.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Answer {
    pub(crate) report_id: Option<u64>,
    pub(crate) status_details: Option<Problem>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Problem {
    #[serde(default)]
    pub(crate) error_code: String,
    #[serde(default)]
    pub(crate) error_message: String,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { error_code: code, error_message: message } = self;
        // What can be done here; the format is this program's own.
        let advice = match code.as_str() {
            "Throttled" => {
                "raise `interval_seconds` in [defender] to 300 or more, and let no other device report as this thing"
            }
            "InvalidPayload" => {
                "ids of reports must grow: is the clock of this machine right, and does no other device report as this thing?"
            }
            _ => "look into the service's quotas and this account's Device Defender, or leave [defender] out",
        };
        write!(f, "a report was rejected, {code}: {message}; {advice}")
    }
}

impl Report {
    /// The state of the host now. `id` grows from report to report; traffic is told since `before`.
    pub fn take(id: u64, before: Option<Traffic>) -> Self {
        let traffic = Traffic::now();
        let sockets: Option<Vec<_>> =
            tcp().ok().map(|four| four.into_iter().chain(tcp6().into_iter().flatten()).collect());
        let listening_tcp_ports = sockets.as_ref().map(|sockets| {
            let listen = sockets.iter().filter(|socket| socket.state == TcpState::Listen);
            Ports::of(listen.map(|socket| socket.local_address))
        });
        let tcp_connections = sockets.map(|sockets| {
            let established = sockets.iter().filter(|socket| socket.state == TcpState::Established);
            Connections::of(established.map(|socket| (socket.local_address, socket.remote_address)).collect())
        });
        let listening_udp_ports = udp().ok().map(|four| {
            let all = four.into_iter().chain(udp6().into_iter().flatten());
            // A UDP socket that was connected listens to one peer.
            Ports::of(
                all.filter(|socket| socket.remote_address.port() == 0).map(|socket| socket.local_address),
            )
        });
        let network_stats = traffic.map(|now| now.since(before.unwrap_or(now)));
        let metrics = Metrics { listening_tcp_ports, listening_udp_ports, network_stats, tcp_connections };
        Self { header: Header { report_id: id, version: "1.0" }, metrics }
    }

    /// The message.
    pub fn to_json(&self) -> String {
        // Numbers, texts and fixed keys: nothing of it can fail to be written.
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl Traffic {
    /// All that passed since the host was started.
    pub fn now() -> Option<Self> {
        let interfaces = dev_status().ok()?;
        let all = interfaces.iter().filter(|(name, _)| *name != "lo").map(|(_, interface)| interface);
        Some(all.fold(Self::default(), |sum, interface| Self {
            bytes_in: sum.bytes_in.saturating_add(interface.recv_bytes),
            bytes_out: sum.bytes_out.saturating_add(interface.sent_bytes),
            packets_in: sum.packets_in.saturating_add(interface.recv_packets),
            packets_out: sum.packets_out.saturating_add(interface.sent_packets),
        }))
    }

    /// What came since `before`. An interface that was taken away takes its counts with it.
    fn since(self, before: Self) -> Self {
        Self {
            bytes_in: self.bytes_in.saturating_sub(before.bytes_in),
            bytes_out: self.bytes_out.saturating_sub(before.bytes_out),
            packets_in: self.packets_in.saturating_sub(before.packets_in),
            packets_out: self.packets_out.saturating_sub(before.packets_out),
        }
    }
}

impl Ports {
    fn of(addresses: impl Iterator<Item = SocketAddr>) -> Self {
        let all: BTreeSet<u16> = addresses.map(|address| address.port()).collect();
        Self { total: all.len(), ports: all.into_iter().take(MOST).map(|port| Port { port }).collect() }
    }
}

impl Connections {
    fn of(all: Vec<(SocketAddr, SocketAddr)>) -> Self {
        let total = all.len();
        let connection = |(local, remote): (SocketAddr, SocketAddr)| Connection {
            local_port: local.port(),
            remote_addr: remote.to_string(),
        };
        let connections = all.into_iter().take(MOST).map(connection).collect();
        Self { established_connections: Established { connections, total } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_report_has_the_form_of_the_guide_and_shows_what_listens() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let client = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
        let report: serde_json::Value = serde_json::from_str(&Report::take(7, None).to_json()).unwrap();
        assert_eq!(report["header"], json!({"report_id": 7, "version": "1.0"}));
        let ports = report["metrics"]["listening_tcp_ports"]["ports"].as_array().unwrap();
        let total = report["metrics"]["listening_tcp_ports"]["total"].as_u64().unwrap();
        assert!(total as usize > MOST || ports.contains(&json!({ "port": port })), "{report}");
        let connections = &report["metrics"]["tcp_connections"]["established_connections"];
        let mine = json!({"local_port": client.local_addr().unwrap().port(), "remote_addr": format!("127.0.0.1:{port}")});
        let is_there = connections["connections"].as_array().unwrap().contains(&mine);
        assert!(is_there || connections["total"].as_u64().unwrap() as usize > MOST, "{report}");
        assert_eq!(report["metrics"]["network_stats"]["bytes_in"], 0, "nothing since the start");
    }

    #[test]
    fn traffic_is_told_since_the_last_report() {
        let before = Traffic { bytes_in: 10, bytes_out: 20, packets_in: 3, packets_out: 4 };
        let now = Traffic { bytes_in: 15, bytes_out: 5, packets_in: 4, packets_out: 4 };
        let since = Traffic { bytes_in: 5, bytes_out: 0, packets_in: 1, packets_out: 0 };
        assert_eq!(now.since(before), since);
    }
}
