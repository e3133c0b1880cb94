//! A network namespace at one end of a virtual cable, this machine at the other. Needs the rights of root.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, TcpStream};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{Running, run};

/// The name that the name server knows, that of the emulator's endpoint.
const NAME: &str = "emulator-ats.iot.local.test";

/// A namespace, its cable, and a name server at this machine's end.
pub(super) struct Network {
    /// Of the namespace, and of the cable's end here.
    name: String,
    number: u8,
    name_server: Mutex<Option<Running>>,
}

impl Network {
    pub(super) fn new() -> Self {
        // Tests of one process run side by side, and so may several processes.
        static NEXT: AtomicU8 = AtomicU8::new(0);
        let process = std::process::id();
        let number = u8::try_from(process % 60).unwrap() * 4 + NEXT.fetch_add(1, Ordering::SeqCst) % 4;
        let network =
            Self { name: format!("fault{process}-{number}"), number, name_server: Mutex::default() };
        let name = &network.name;
        let here = format!("f{process}-{number}");
        assert!(here.len() < 16, "{here} is too long for the kernel");
        ip(&format!("netns add {name}"));
        ip(&format!("link add {here} type veth peer name wan netns {name}"));
        let net = format!("10.77.{number}");
        let net6 = format!("fd77:{number:x}:");
        ip(&format!("address add {net}.1/24 dev {here}"));
        ip(&format!("address add {net6}:1/64 dev {here} nodad"));
        ip(&format!("link set {here} up"));
        ip(&format!("-n {name} address add {net}.2/24 dev wan"));
        ip(&format!("-n {name} address add {net6}:2/64 dev wan nodad"));
        ip(&format!("-n {name} link set wan up"));
        ip(&format!("-n {name} link set lo up"));
        let folder = format!("/etc/netns/{name}");
        fs::create_dir_all(&folder).unwrap();
        fs::write(format!("{folder}/resolv.conf"), format!("nameserver {net}.1\n")).unwrap();
        network.start_name_server(&format!("{net}.1"), &format!("{net6}:dead"));
        network
    }

    /// This machine's address in it.
    pub(super) fn here(&self) -> IpAddr {
        Ipv4Addr::new(10, 77, self.number, 1).into()
    }

    /// `command`, to be run in the namespace.
    pub(super) fn inside(&self, command: &Command) -> Command {
        let mut inside = Command::new("ip");
        inside.args(["netns", "exec", &self.name]).arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => inside.env(name, value),
                None => inside.env_remove(name),
            };
        }
        inside
    }

    fn run(&self, program: &str, arguments: &str) {
        let mut command = Command::new(program);
        run(&mut self.inside(command.args(arguments.split(' ')))).succeeded();
    }

    /// Every TCP packet to and from the server gets this verdict.
    pub(super) fn filter(&self, verdict: &str) {
        self.table();
        self.rule(&format!("out tcp dport 8883 {verdict}"));
        self.rule(&format!("in tcp sport 8883 {}", if verdict == "drop" { "drop" } else { "accept" }));
    }

    /// Nearly every third packet is lost, in both directions.
    pub(super) fn lose_a_third(&self) {
        self.table();
        self.rule("out tcp dport 8883 numgen random mod 100 < 30 drop");
        self.rule("in tcp sport 8883 numgen random mod 100 < 30 drop");
    }

    /// 32 kbit/s to the server.
    pub(super) fn slow_down(&self) {
        self.run("tc", "qdisc replace dev wan root tbf rate 32kbit burst 4kb latency 400ms");
    }

    /// Nothing is at the end of the cable any more.
    pub(super) fn unplug(&self) {
        ip(&format!("-n {} link set wan down", self.name));
    }

    /// The connections that are there now carry nothing any more, in either direction; new ones do.
    pub(super) fn silence_connections_to(&self, port: u16) {
        let mut ss = Command::new("ss");
        ss.args(["-Htn", "state", "established", &format!("( dport = :{port} )")]);
        let listed = run(&mut self.inside(&ss)).succeeded().text();
        let ports: Vec<_> = listed
            .split_whitespace()
            .filter_map(|word| word.strip_prefix(&format!("10.77.{}.2:", self.number)))
            .collect();
        assert!(!ports.is_empty(), "no connection in {listed:?}");
        self.table();
        for port in ports {
            self.rule(&format!("out tcp sport {port} drop"));
            self.rule(&format!("in tcp dport {port} drop"));
        }
    }

    /// As it was at first.
    pub(super) fn repair(&self) {
        self.run("nft", "flush ruleset");
        // There may be none.
        let mut tc = Command::new("tc");
        run(&mut self.inside(tc.args(["qdisc", "del", "dev", "wan", "root"])));
        ip(&format!("-n {} link set wan up", self.name));
    }

    /// A SOCKS proxy on port 1080 in the namespace.
    pub(super) fn start_proxy(&self) -> Running {
        let mut proxy = Command::new("microsocks");
        Running::start(&mut self.inside(proxy.args(["-i", "127.0.0.1", "-p", "1080"])))
    }

    pub(super) fn stop_name_server(&self) {
        self.name_server.lock().unwrap().take();
    }

    /// Knows one name, with this address, and one of IPv6 where nobody is.
    fn start_name_server(&self, address: &str, nobody: &str) {
        let mut dnsmasq = Command::new("dnsmasq");
        dnsmasq.args(["--keep-in-foreground", "--no-resolv", "--no-hosts", "--conf-file=/dev/null"]);
        dnsmasq.args(["--bind-interfaces", "--except-interface=lo", "--user=root", "--pid-file="]);
        dnsmasq.arg(format!("--listen-address={address}"));
        dnsmasq.arg(format!("--host-record={NAME},{address},{nobody}"));
        let mut running = Running::start(&mut dnsmasq);
        let end = Instant::now() + Duration::from_secs(20);
        // It listens on TCP, too.
        while TcpStream::connect((address, 53)).is_err() {
            assert!(Instant::now() < end, "the name server does not start:\n{}", running.kill());
            thread::sleep(Duration::from_millis(20));
        }
        *self.name_server.lock().unwrap() = Some(running);
    }

    fn table(&self) {
        for line in [
            "add table inet fault",
            "add chain inet fault in { type filter hook input priority 0 ; }",
            "add chain inet fault out { type filter hook output priority 0 ; }",
        ] {
            self.run("nft", line);
        }
    }

    fn rule(&self, rule: &str) {
        self.run("nft", &format!("add rule inet fault {rule}"));
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        self.stop_name_server();
        // The cable goes with the namespace. A test that fails must not fail twice.
        let _ = Command::new("ip").args(["netns", "del", &self.name]).status();
        let _ = fs::remove_dir_all(format!("/etc/netns/{}", self.name));
    }
}

fn ip(arguments: &str) {
    run(Command::new("ip").args(arguments.split(' '))).succeeded();
}
