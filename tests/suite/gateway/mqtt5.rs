//! MQTT 5 with a real mosquitto, which says why it refuses something.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::mosquitto::Broker;
use crate::support::{Chip, Running, program, run, wait_for_socket};

/// The agent for this broker and chip, with `lines` for agent.toml before its tables.
fn agent(broker: &Broker, chip: &Chip, device: &str, lines: &str) -> Command {
    let command = broker.agent(chip.folder(), &chip.common_name(), device);
    let config = chip.path("agent.toml");
    let text = fs::read_to_string(&config).unwrap();
    let tables = "[shadow]\nenabled = false\n[outbox]\nfolder = 'outbox'\n[local]\nsocket = 'local.sock'\nprefix = ''\n";
    fs::write(&config, format!("{lines}{text}{tables}")).unwrap();
    command
}

fn publish(socket: &Path, topic: &str) {
    let mut publish = Command::new(program("atecc-agent"));
    publish.args(["publish", "--topic", topic, "--message", "x", "--timeout", "30", "--socket"]).arg(socket);
    run(&mut publish).succeeded();
}

#[test]
fn what_mosquitto_does_not_authorise_is_put_aside_at_once_and_the_connection_stays() {
    let chip = Chip::new();
    let broker = Broker::start(&chip.path("root.pem"));
    let commands = format!("[commands]\ntopic = 'gw/{}/commands'\n", chip.common_name());
    let mut command = agent(&broker, &chip, &chip.device(), "mqtt = '5'\n");
    let config = chip.path("agent.toml");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text + &commands).unwrap();
    let mut running = Running::start(&mut command);
    let socket = chip.path("local.sock");
    wait_for_socket(&socket);
    publish(&socket, "gw/somebody-else/door");
    publish(&socket, &format!("gw/{}/door", chip.common_name()));
    let quarantine = chip.path("outbox/quarantine");
    let end = std::time::Instant::now() + Duration::from_secs(30);
    while !fs::read_dir(&quarantine).is_ok_and(|mut files| files.next().is_some()) {
        assert!(std::time::Instant::now() < end, "nothing in {}:\n{}", quarantine.display(), running.kill());
        std::thread::sleep(Duration::from_millis(50));
    }
    std::thread::sleep(Duration::from_millis(500));
    let said = running.kill();
    assert!(said.contains("reason 135"), "{said}");
    assert!(!said.contains("not connected"), "{said}");
}

/// The same configuration with another client id, if any, and files of its own.
fn beside(chip: &Chip, change: impl FnOnce(String) -> String) -> Command {
    let text = fs::read_to_string(chip.path("agent.toml")).unwrap();
    let other = chip.path("other.toml");
    fs::write(&other, change(text.replace("'outbox'", "'other'").replace("local.sock", "other.sock")))
        .unwrap();
    let mut command = Command::new(program("atecc-agent"));
    command.args(["run", "--config"]).arg(&other);
    command
}

/// Waits until the agent that listens there has sent something.
fn wait_until_connected(chip: &Chip, running: &mut Running) {
    let socket = chip.path("local.sock");
    wait_for_socket(&socket);
    let topic = format!("gw/{}/echo", chip.common_name());
    let mut subscribe = Command::new(program("atecc-agent"));
    subscribe
        .args(["subscribe", "--topic", &topic, "--count", "1", "--timeout", "40", "--socket"])
        .arg(&socket);
    let subscriber = Running::start(&mut subscribe);
    std::thread::sleep(Duration::from_millis(500));
    publish(&socket, &topic);
    let finished = subscriber.finish(Duration::from_secs(50));
    assert!(finished.status.success(), "{}\n{}", finished.all(), running.kill());
}

#[test]
fn a_session_that_mosquitto_kept_brings_what_came_meanwhile_and_goes_on() {
    let chip = Chip::new();
    let broker = Broker::start(&chip.path("root.pem"));
    let (bus, name) = (chip.serve(), chip.common_name());
    agent(&broker, &chip, &bus.device(), "mqtt = '5'\nclean_session = false\n");
    let config = chip.path("agent.toml");
    let text = fs::read_to_string(&config).unwrap();
    let filters = format!("subscribe = ['gw/{name}/echo']\n[commands]\ntopic = 'gw/{name}/commands'\n");
    fs::write(&config, text + &filters).unwrap();
    let start = || {
        let mut command = Command::new(program("atecc-agent"));
        Running::start(command.args(["run", "--config"]).arg(&config))
    };
    let mut first = start();
    wait_until_connected(&chip, &mut first);
    first.kill();
    // Somebody else's telemetry is our command.
    let mut other = beside(&chip, |text| {
        text.replace(&format!("client_id = \"{name}\""), "client_id = 'other'")
            .replace("/telemetry", "/commands")
    });
    run(other.arg("--once")).succeeded();
    let mut second = start();
    wait_until_connected(&chip, &mut second);
    let said = second.kill();
    assert!(said.contains("command received"), "{said}");
    assert!(!said.contains("not connected"), "{said}");
}

#[test]
fn a_rival_with_the_same_client_id_is_told() {
    let chip = Chip::new();
    let broker = Broker::start(&chip.path("root.pem"));
    let bus = chip.serve();
    let mut first = Running::start(&mut agent(&broker, &chip, &bus.device(), "mqtt = '5'\n"));
    wait_for_socket(&chip.path("local.sock"));
    let mut second = Running::start(&mut beside(&chip, |text| text));
    std::thread::sleep(Duration::from_secs(15));
    let said = first.kill() + &second.kill();
    assert!(said.contains("another device seems to use the same client id"), "{said}");
}
