//! A network that fails in every way: the agent comes back by itself, soon, and loses nothing.
//!
//! The agent runs in a network namespace of its own, whose packets are dropped, slowed down and refused there by nftables and tc.
//! The cloud is at the other end of a virtual cable. "Soon" is: the longest wait between two attempts, and one attempt.

mod network;

use std::collections::BTreeSet;
use std::fs;
use std::sync::mpsc::Receiver;
use std::thread;
use std::time::{Duration, Instant};

use iot_core_emulator::{Event, Events, Message, Options};

use super::{Cloud, agent};
use crate::support::{Chip, Running, run};
use network::Network;

/// The longest wait between two attempts, as configured below.
const LONGEST_WAIT: Duration = Duration::from_secs(2);
/// How long one attempt may take: an address has 15 seconds, and this machine other work.
const ATTEMPT: Duration = Duration::from_secs(20);
const KEEP_ALIVE: Duration = Duration::from_secs(5);

/// A cloud, a network, and an agent that sends a numbered message each second.
struct Scene {
    // In the order in which they must go.
    agent: Running,
    cloud: Cloud,
    network: Network,
    seen: Receiver<Message>,
    numbers: BTreeSet<u64>,
    events: Events,
    _chip: Chip,
}

impl Scene {
    fn new(lines: &str) -> Self {
        let network = Network::new();
        let mut options = Options::default();
        options.mqtt_address.set_ip(network.here());
        options.mqtt_address.set_port(8883);
        options.alpn_address.set_ip(network.here());
        let (cloud, chip) = (Cloud::with(options), Chip::new());
        cloud.register(&chip.path("device.pem"));
        let seen = cloud.core.subscribe(&format!("{}/telemetry", chip.common_name())).unwrap();
        let config = format!(
            "device = '{}'\nkeep_alive_seconds = {}\n{lines}\n[reconnect]\nfirst_seconds = 1\nlongest_seconds = {}\n[telemetry]\ninterval_seconds = 1\n[shadow]\nenabled = false\n[outbox]\nfolder = 'outbox'\n[local]\nsocket = 'local.sock'\n",
            chip.device(),
            KEEP_ALIVE.as_secs(),
            LONGEST_WAIT.as_secs()
        );
        let config = cloud.config_for(8883, &config);
        let mut command = network.inside(&agent(&config));
        let agent = Running::start(chip.keep_cache_of(&mut command));
        let events = cloud.core.events();
        Self { agent, cloud, network, seen, numbers: BTreeSet::new(), events, _chip: chip }
    }

    /// Waits for a connection after what is known already.
    #[track_caller]
    fn wait_for_connection(&mut self, what: &str, limit: Duration) {
        let start = Instant::now();
        let is_connected = |event: &Event| matches!(event, Event::Connected { .. });
        if let Err(timeout) = self.events.wait_for(limit, is_connected) {
            panic!("{what}: {timeout}\n{}", self.agent.kill());
        }
        println!("{what}: connected after {:.1?}", start.elapsed());
    }

    /// Whatever happened until now is known.
    fn up_to_now(&mut self) {
        while self.events.wait_for(Duration::ZERO, |_| true).is_ok() {}
    }

    /// Waits until a message has come that was sent from now on.
    #[track_caller]
    fn wait_for_message(&mut self, what: &str, limit: Duration) {
        self.collect();
        let (known, start) = (self.numbers.last().copied(), Instant::now());
        while self.numbers.last().copied() == known {
            if start.elapsed() > limit {
                panic!("{what}: no message for {limit:?}\n{}", self.agent.kill());
            }
            thread::sleep(Duration::from_millis(50));
            self.collect();
        }
    }

    fn collect(&mut self) {
        let payloads = self.seen.try_iter();
        let numbers = payloads.filter_map(|message| {
            let sample: serde_json::Value = serde_json::from_slice(&message.payload).ok()?;
            sample["sequence"].as_u64()
        });
        self.numbers.extend(numbers);
    }

    /// Breaks the network, waits for the end of the connection, repairs it, and waits for the next one.
    #[track_caller]
    fn outage(&mut self, what: &str, break_it: impl FnOnce(&Network), lasts: Duration) {
        self.up_to_now();
        break_it(&self.network);
        let broken = Instant::now();
        while broken.elapsed() < lasts {
            thread::sleep(Duration::from_millis(50));
        }
        self.network.repair();
        self.wait_for_connection(what, LONGEST_WAIT + ATTEMPT);
        self.wait_for_message(what, ATTEMPT);
    }

    /// Every message from the first to the newest has come.
    #[track_caller]
    fn nothing_is_lost(mut self) {
        self.wait_for_message("at the end", ATTEMPT);
        let newest = *self.numbers.last().unwrap();
        let missing: Vec<_> = (0..=newest).filter(|number| !self.numbers.contains(number)).collect();
        assert!(missing.is_empty(), "lost {missing:?} of {newest}\n{}", self.agent.kill());
        println!("{} messages, none lost", newest + 1);
    }
}

#[test]
fn outages_of_all_kinds_end_soon_and_lose_nothing() {
    let mut scene = Scene::new("");
    scene.wait_for_connection("at first", ATTEMPT);
    scene.wait_for_message("at first", ATTEMPT);

    // The connection is noticed to be dead after twice the keep-alive.
    scene.outage("blackhole", |network| network.filter("drop"), KEEP_ALIVE * 2 + LONGEST_WAIT);
    scene.outage("reset", |network| network.filter("reject with tcp reset"), Duration::from_secs(4));
    let cloud = scene.cloud.core.mqtt_address();
    scene.outage("cable pulled", Network::unplug, KEEP_ALIVE * 2 + LONGEST_WAIT);

    // The server has forgotten the connection and says nothing, while the agent has something to send each second.
    scene.up_to_now();
    scene.network.silence_connections_to(cloud.port());
    scene.wait_for_connection("half open", KEEP_ALIVE * 2 + LONGEST_WAIT + ATTEMPT);
    scene.wait_for_message("half open", ATTEMPT);
    scene.network.repair();

    scene.nothing_is_lost();
}

#[test]
fn a_line_that_is_bad_still_carries_everything() {
    let mut scene = Scene::new("");
    scene.wait_for_connection("at first", ATTEMPT);
    for (what, fault) in [
        ("30 % loss", Network::lose_a_third as fn(&Network)),
        ("32 kbit/s", Network::slow_down as fn(&Network)),
    ] {
        fault(&scene.network);
        scene.wait_for_message(what, 2 * ATTEMPT);
        scene.up_to_now();
        assert_eq!(scene.cloud.core.disconnect_all(), 1);
        // Lost packets are sent again after one second, two, four: by the kernel, and not by us.
        scene.wait_for_connection(what, LONGEST_WAIT + 2 * ATTEMPT);
        scene.wait_for_message(what, 2 * ATTEMPT);
        if what == "32 kbit/s" {
            // Longer on its way than the keep-alive: that must not be taken for a dead server.
            scene.up_to_now();
            fs::write(scene.cloud.path("large"), vec![b'x'; 24 * 1024]).unwrap();
            let large = scene.cloud.core.subscribe("#").unwrap();
            let mut publish = std::process::Command::new(crate::support::program("atecc-agent"));
            publish.args(["publish", "--topic", "large", "--timeout", "30", "--socket"]);
            publish.arg(scene.cloud.path("local.sock")).arg("--file").arg(scene.cloud.path("large"));
            run(&mut publish).succeeded();
            let end = Instant::now() + 2 * ATTEMPT;
            while large.recv_timeout(ATTEMPT).unwrap().payload.len() < 24 * 1024 {
                assert!(Instant::now() < end, "the large message does not arrive:\n{}", scene.agent.kill());
            }
            let lost = |event: &Event| matches!(event, Event::Disconnected { .. });
            assert!(scene.events.wait_for(Duration::ZERO, lost).is_err(), "{}", scene.agent.kill());
        }
        scene.network.repair();
    }
    scene.nothing_is_lost();
}

#[test]
fn a_name_server_and_a_proxy_may_go_and_come_back() {
    let mut scene = Scene::new("");
    scene.wait_for_connection("by name, with an IPv6 address that leads nowhere", ATTEMPT);
    scene.network.stop_name_server();
    scene.up_to_now();
    assert_eq!(scene.cloud.core.disconnect_all(), 1);
    scene.wait_for_connection("without a name server", LONGEST_WAIT + ATTEMPT);
    scene.nothing_is_lost();

    let mut scene = Scene::new("proxy = 'socks5://127.0.0.1:1080'\n");
    thread::sleep(Duration::from_secs(2));
    let proxy = scene.network.start_proxy();
    scene.wait_for_connection("proxy that comes late", LONGEST_WAIT + ATTEMPT);
    drop(proxy);
    thread::sleep(Duration::from_secs(4));
    scene.up_to_now();
    let _proxy = scene.network.start_proxy();
    scene.wait_for_connection("proxy that was gone", LONGEST_WAIT + ATTEMPT);
    scene.nothing_is_lost();
}
