//! What the server allows: the connection, a message, the subscriptions.

use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::finding::{Finding, Findings};
use crate::config::Names;
use crate::mqtt::{Disconnect, Event, Events, Link, Options};
use crate::telemetry::Sample;
use crate::tls::Connector;

/// How long one thing may take, a signature included.
const LIMIT: Duration = Duration::from_secs(60);
/// AWS allows one CONNECT a second for each client id.
const PAUSE: Duration = Duration::from_millis(1100);

/// How an attempt went.
enum Attempt {
    Connected { refused: Vec<String> },
    Ended(Disconnect),
    NoAnswer,
}

pub(super) async fn examine(
    options: &Options,
    names: &Names,
    filters: Vec<String>,
    connector: &Connector,
    findings: &mut Findings<impl FnMut(&Finding)>,
) {
    let allowed = connect_and_publish(options, names, connector, findings).await;
    if !allowed {
        return;
    }
    sleep(PAUSE).await;
    match attempt(options, connector, filters.clone()).await {
        Attempt::Connected { refused } if refused.is_empty() => {
            findings.ok("subscribe", filters.join(", "));
        }
        Attempt::Connected { refused } => refused.iter().for_each(|filter| denied(filter, findings)),
        // AWS cuts the connection instead of refusing a filter; which one it was shows when each is alone.
        Attempt::Ended(_) | Attempt::NoAnswer => {
            for filter in filters {
                sleep(PAUSE).await;
                match attempt(options, connector, vec![filter.clone()]).await {
                    Attempt::Connected { refused } if refused.is_empty() => findings.ok("subscribe", filter),
                    _ => denied(&filter, findings),
                }
            }
        }
    }
}

/// Whether it is worth going on.
async fn connect_and_publish(
    options: &Options,
    names: &Names,
    connector: &Connector,
    findings: &mut Findings<impl FnMut(&Finding)>,
) -> bool {
    let (link, mut events) = match Link::start(options.clone(), connector.clone()) {
        Ok(started) => started,
        Err(error) => {
            findings.refused("registration", &error, "try again");
            return false;
        }
    };
    match first(&mut events).await {
        Attempt::Connected { .. } => {
            findings
                .ok("registration", format!("the server accepts the certificate and {}", names.client_id));
        }
        Attempt::Ended(reason) => {
            let fix = "register the certificate (docs/registration.md), make it active, and let its policy allow iot:Connect";
            findings.refused("registration", &reason, fix);
            return false;
        }
        Attempt::NoAnswer => {
            findings.wrong(
                "registration",
                format!("no CONNACK within {LIMIT:?}"),
                "try again; is the server overloaded?",
            );
            return false;
        }
    }
    let topic = &names.telemetry;
    let receipt = match link.publish(topic, Sample::take(0).to_json()) {
        Ok(receipt) => receipt,
        Err(error) => {
            findings.refused("publish", &error, "correct telemetry.topic");
            return true;
        }
    };
    tokio::select! {
        acknowledged = receipt.acknowledged(LIMIT) => match acknowledged {
            Ok(_) => findings.ok("publish", format!("the server took a message for {topic}")),
            Err(error) => findings.refused("publish", &error, "try again; is the server overloaded?"),
        },
        () = ended(&mut events) => findings.wrong(
            "publish",
            format!("the server cuts the connection for a message to {topic}"),
            format!("let the policy of the certificate allow iot:Publish on topic/{topic}, or correct telemetry.topic"),
        ),
    }
    // The next connection must not meet this one.
    drop(events);
    let _ = link.shutdown(Duration::from_secs(2)).await;
    true
}

async fn attempt(options: &Options, connector: &Connector, filters: Vec<String>) -> Attempt {
    let Ok((link, mut events)) = Link::start(subscribing(options, filters), connector.clone()) else {
        return Attempt::NoAnswer;
    };
    let attempt = first(&mut events).await;
    drop(events);
    let _ = link.shutdown(Duration::from_secs(2)).await;
    attempt
}

/// The outcome of the first attempt to connect.
async fn first(events: &mut Events) -> Attempt {
    let outcome = async {
        loop {
            match events.next().await {
                Some(Event::Connected { refused_filters, .. }) => {
                    return Attempt::Connected { refused: refused_filters };
                }
                Some(Event::Disconnected { reason, .. }) => return Attempt::Ended(reason),
                Some(Event::Message(_) | Event::Undeliverable { .. }) => {}
                None => return Attempt::NoAnswer,
            }
        }
    };
    timeout(LIMIT, outcome).await.unwrap_or(Attempt::NoAnswer)
}

async fn ended(events: &mut Events) {
    while let Some(event) = events.next().await {
        if matches!(event, Event::Disconnected { .. }) {
            return;
        }
    }
}

fn denied(filter: &str, findings: &mut Findings<impl FnMut(&Finding)>) {
    let shadow = if filter.starts_with("$aws/things/") {
        "; without a shadow: `enabled = false` in [shadow]"
    } else {
        ""
    };
    findings.wrong(
        "subscribe",
        format!("the server does not let us subscribe to {filter}"),
        format!(
            "let the policy of the certificate allow iot:Subscribe on topicfilter/{filter} and iot:Receive{shadow}"
        ),
    );
}

fn subscribing(options: &Options, filters: Vec<String>) -> Options {
    Options { filters, ..options.clone() }
}
