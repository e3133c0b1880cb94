//! `atecc-agent check`: what keeps a gateway from its cloud, and how to mend it.
//!
//! Each part needs the ones before it, from the file to the policy in the cloud. The network is used as the agent uses
//! it: with the same connector, the same key and the same client id.

mod finding;
mod host;
mod identity;
mod network;
mod server;

use std::path::Path;

use crate::config::{Config, Names, Subject};
use crate::provision;
use crate::supervisor::Agent;
use crate::tls::Roots;

use finding::Findings;
pub use finding::{Finding, State};

/// How far the check goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// Look at this machine only.
    pub offline: bool,
    /// Connect even if an agent is running, whose connection the server then ends: both have one client id.
    pub take_over: bool,
}

/// Examines the set-up that the configuration in `file` describes, with `device` in the place of its key. Tells each
/// finding when it is made.
///
/// Signs twice. Unless it is [`Options::offline`] it connects, publishes one telemetry message and subscribes to what the
/// agent subscribes to; otherwise it changes nothing.
pub async fn examine(
    file: &Path,
    device: Option<&str>,
    options: Options,
    tell: impl FnMut(&Finding),
) -> Vec<Finding> {
    let mut findings = Findings::new(tell);
    let mut config = match Config::load(file) {
        Ok(config) => {
            findings.ok("configuration", file.display().to_string());
            config
        }
        Err(error) => {
            findings.refused(
                "configuration",
                &error,
                "correct the file; agent.example.toml describes every key",
            );
            return findings.list;
        }
    };
    let running = host::running(&config);
    host::examine(&config, running, &mut findings);
    let roots = Roots::from_file(&config.ca_file);
    match &roots {
        Ok(_) => findings.ok("roots", config.ca_file.display().to_string()),
        Err(error) => findings.refused("roots", error, "name the file with the server's CA as ca_file"),
    }
    let identity = identity::examine(&config, device, &mut findings);
    if let Some(identity) = &identity {
        provision::adopt_names(&mut config, identity);
    }
    let names = identity.as_ref().and_then(|identity| names(&config, identity, &mut findings));
    if options.offline {
        return findings.list;
    }
    let (Ok(_), Some(identity), Some(names)) = (roots, identity, names) else { return findings.list };
    let connector = match config.connector(&identity, config.tls) {
        Ok(connector) => connector,
        Err(error) => {
            findings.refused("roots", &error, "correct `endpoint` and ca_file");
            return findings.list;
        }
    };
    let link = config.link_options(&names.client_id);
    let Some(stream) = network::dial(&link, &connector, &mut findings).await else { return findings.list };
    if !network::shake_hands(&connector, stream, &mut findings).await {
        return findings.list;
    }
    if running && !options.take_over {
        findings.skipped(
            "registration",
            "an agent is running; a second connection with its client id would end its own",
            "look at its log or its status, or stop it, or add --take-over",
        );
        return findings.list;
    }
    match Agent::new(config.clone(), &identity).and_then(Agent::filters) {
        Ok(filters) => server::examine(&link, &names, filters, &connector, &mut findings).await,
        Err(error) => findings.refused("subscribe", &error, "correct the configuration"),
    }
    findings.list
}

fn names(
    config: &Config,
    identity: &::identity::Identity,
    findings: &mut Findings<impl FnMut(&Finding)>,
) -> Option<Names> {
    match config.names(&Subject::of(identity)) {
        Ok(names) => {
            findings.ok("names", format!("thing {}, client id {}", names.thing, names.client_id));
            Some(names)
        }
        Err(error) => {
            findings.refused("names", &error, "correct this name in the configuration");
            None
        }
    }
}
