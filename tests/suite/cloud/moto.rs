//! moto: a second opinion on the control API. It has no MQTT.

use super::{double::Double, network::Network};
use crate::support::free_port;

/// Starts moto's server, which binds the loopback interface only.
#[track_caller]
pub(crate) fn start() -> Double {
    let port = free_port();
    let double = Double::start(Network::of_machine(), "moto_server", port, |command| {
        command.args(["--host", "127.0.0.1", "--port", &port.to_string()]);
    });
    double.wait_until_it_answers("/moto-api/data.json")
}
