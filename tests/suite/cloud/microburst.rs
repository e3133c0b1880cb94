//! microburst: a proxy in front of a double that answers some calls as AWS does when it fails.

use std::fs;

use serde_json::Value;

use super::double::Double;
use crate::support::free_port;

/// Starts it in front of `upstream`, with `rules` as its documentation has them.
#[track_caller]
pub(crate) fn start(upstream: &Double, rules: &Value) -> Double {
    let port = free_port();
    let configuration = upstream.folder().join(format!("microburst-{port}.yaml"));
    // JSON is YAML.
    fs::write(&configuration, serde_json::json!({ "rules": rules }).to_string()).unwrap();
    let double = Double::start(upstream.network(), "microburst", port, |command| {
        command.args(["--host", "127.0.0.1", "--port", &port.to_string(), "--upstream", &upstream.url()]);
        command.arg("--config").arg(&configuration);
    });
    double.wait_until_it_answers("/_microburst/health")
}
