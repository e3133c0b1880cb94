//! GET /metrics, in the text format of Prometheus (exposition format 0.0.4).

use std::fmt::{Display, Write as _};

use super::status::{State, Status};

/// What a scraper wants to be told about the format.
pub(super) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// All metrics. Counters begin at 0 with the process.
pub(super) fn text(status: &Status) -> String {
    let mut text = Text(String::with_capacity(4096));
    let (connection, outbox) = (&status.connection, &status.outbox);
    let mut labels = vec![
        ("version", status.agent.version),
        ("endpoint", &connection.endpoint),
        ("thing", &connection.thing),
        ("client_id", &connection.client_id),
    ];
    if let Some(key) = &status.key {
        labels.extend([
            ("key", key.model.as_str()),
            ("serial", key.serial.as_deref().unwrap_or_default()),
            ("emulated", if key.emulated { "true" } else { "false" }),
        ]);
    }
    text.labelled("info", "Who this is; always 1.", &labels);
    text.gauge("start_time_seconds", "When the process was started.", status.agent.started_at);
    if let Some(bytes) = status.agent.resident_bytes {
        text.gauge("resident_memory_bytes", "Memory of the process that is resident.", bytes);
    }
    text.gauge(
        "connected",
        "Whether there is a connection to the server.",
        u8::from(connection.state == State::Connected),
    );
    text.counter("connections", "Connections that came about.", connection.connections);
    text.counter(
        "connection_failures",
        "Attempts that failed and connections that were lost.",
        connection.failures,
    );
    if let Some(handshake) = &connection.handshake {
        let seconds = handshake.milliseconds as f64 / 1000.0;
        text.gauge("handshake_seconds", "The last TLS handshake, with the key's signature.", seconds);
    }
    if let Some(key) = &status.key {
        text.gauge(
            "certificate_expiry_timestamp_seconds",
            "When the certificate ends to be valid.",
            key.certificate_expires_at,
        );
    }
    text.gauge("outbox_messages", "Messages that wait for the server.", outbox.messages);
    text.gauge("outbox_bytes", "Bytes that wait for the server.", outbox.bytes);
    text.gauge("outbox_limit_bytes", "Bytes that may wait for the server.", outbox.most_bytes);
    text.gauge("outbox_refusing", "Whether messages are refused.", u8::from(outbox.refusing.is_some()));
    text.counter("messages_taken", "Messages that were taken.", outbox.taken);
    text.counter("messages_delivered", "Messages that the server has acknowledged.", outbox.delivered);
    text.counter("messages_dropped", "Messages that were given up.", outbox.dropped);
    text.counter("messages_quarantined", "Messages that were put aside.", outbox.quarantined);
    if let Some(clients) = status.local_clients {
        text.gauge("local_clients", "Programs of this machine that are connected.", clients);
    }
    text.0
}

struct Text(String);

impl Text {
    fn gauge(&mut self, name: &str, help: &str, value: impl Display) {
        self.head(name, "gauge", help);
        let _ = writeln!(self.0, "atecc_agent_{name} {value}");
    }

    fn counter(&mut self, name: &str, help: &str, value: impl Display) {
        let name = format!("{name}_total");
        self.head(&name, "counter", help);
        let _ = writeln!(self.0, "atecc_agent_{name} {value}");
    }

    fn labelled(&mut self, name: &str, help: &str, labels: &[(&str, &str)]) {
        self.head(name, "gauge", help);
        let labels: Vec<_> =
            labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
        let _ = writeln!(self.0, "atecc_agent_{name}{{{}}} 1", labels.join(","));
    }

    fn head(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP atecc_agent_{name} {help}\n# TYPE atecc_agent_{name} {kind}");
    }
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::super::Monitor;
    use super::*;

    #[test]
    fn a_value_cannot_end_its_label() {
        let mut status = Monitor::new().status();
        status.connection.thing = "a\"} 1\n\\b".to_owned();
        let text = text(&status);
        assert!(text.contains(r#"thing="a\"} 1\n\\b","#), "{text}");
        assert_eq!(text.lines().filter(|line| line.starts_with("atecc_agent_info{")).count(), 1);
    }

    #[test]
    fn every_metric_has_one_help_and_one_type() {
        let text = text(&Monitor::new().status());
        let values: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
        assert!(values.len() > 10);
        for line in values {
            let name = line.split([' ', '{']).next().unwrap();
            for word in ["HELP", "TYPE"] {
                assert_eq!(text.matches(&format!("# {word} {name} ")).count(), 1, "{name}");
            }
        }
    }
}
