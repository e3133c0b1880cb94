//! Four programs of four kinds on one serial port, while its cable is pulled and put back: openssl again and again, an
//! openssl server, ssh-keygen through ssh-agent, and the agent. Server, ssh-agent and agent are started once.

mod proxy;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use super::board::Board;
use crate::{
    mosquitto::Broker,
    support::{Running, free_port, module, program, run, run_with_input, wait_for_socket},
};
use proxy::Proxy;

const PULLS: usize = 50;
/// At every so many pulls the agent's connection is cut too, so that it needs a signature.
const CUTS: usize = 10;
/// How long the cable is out: too short for a person, long enough for programs to meet a port that is not there.
const OUT: Duration = Duration::from_millis(40);
/// How long while the agent looks for its server again: longer than the pause between two of its attempts.
const OUT_WITH_CUT: Duration = Duration::from_millis(1_300);
/// What a program may say that met a port without a board, or a board that went: what to do, or what happened.
const CLEAR: [&str; 7] = [
    "is the device plugged in?",
    "the line to the bridge broke",
    "no bridge answers",
    "the bridge did not answer",
    "whether it was executed is not known",
    "cannot be opened",
    "no device",
];
const KEY: &str = "pkcs11:object=device;type=private";

/// `attempt` again and again until `is_over`: how often it succeeded, and what the others said.
fn persist(
    attempt: impl Fn() -> Result<(), String>,
    is_over: &AtomicBool,
    successes: &AtomicUsize,
) -> Vec<String> {
    let mut failures = Vec::new();
    while !is_over.load(Ordering::SeqCst) {
        match attempt() {
            Ok(()) => drop(successes.fetch_add(1, Ordering::SeqCst)),
            Err(failure) => failures.push(failure),
        }
    }
    failures
}

#[test]
fn openssl_twice_ssh_and_the_agent_share_a_port_whose_cable_is_pulled_fifty_times() {
    let board = Board::new();
    let bench = Bench::new(&board);
    let (openssl, server, ssh) = (bench.openssl(), bench.server(), bench.ssh());
    let agent = bench.agent(&board.serial_number());

    let is_over = AtomicBool::new(false);
    let counts: [AtomicUsize; 3] = Default::default();
    let mut board = board;
    let failures = thread::scope(|scope| {
        let (over, counts) = (&is_over, &counts);
        let users = [
            scope.spawn(|| persist(|| openssl.attempt(), over, &counts[0])),
            scope.spawn(|| persist(|| server.attempt(), over, &counts[1])),
            scope.spawn(|| persist(|| ssh.attempt(), over, &counts[2])),
        ];
        let disturbed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            for pull in 0..=PULLS {
                let is_cut = pull % CUTS == 0;
                // Each of them got what it wanted since the cable is in again.
                let before = counts.each_ref().map(|count| count.load(Ordering::SeqCst));
                let published = agent.published();
                wait(&format!("after pull {pull}, {before:?}"), || {
                    let now = counts.each_ref().map(|count| count.load(Ordering::SeqCst));
                    now.iter().zip(&before).all(|(now, before)| now > before)
                        && (!is_cut || agent.published() > published)
                });
                if pull < PULLS {
                    if is_cut {
                        agent.proxy.cut();
                    }
                    board.pull();
                    thread::sleep(if is_cut { OUT_WITH_CUT } else { OUT });
                    board.put_back();
                }
            }
        }));
        over.store(true, Ordering::SeqCst);
        let failures = users.map(|user| user.join().unwrap());
        assert!(disturbed.is_ok(), "{}\n{}\n{}", server.log(), ssh.log(), agent.log());
        failures
    });
    let successes = counts.map(|count| count.load(Ordering::SeqCst));
    let missed = failures.each_ref().map(Vec::len);
    let [openssl, handshakes, signatures] = failures;
    println!(
        "{PULLS} pulls; openssl, openssl s_server, ssh-keygen: {successes:?} successes, {missed:?} clear errors; the agent: \
         {} connections, {} publications, {} clear errors",
        agent.log().matches(" connected attempt=").count(),
        agent.published(),
        agent.log().matches("no signature: ").count(),
    );
    for failure in &openssl {
        assert_clear(failure);
    }
    assert!(!openssl.is_empty(), "no program noticed that the cable was out");
    // Its client hears of an alert, as TLS has it, and the server's log says why.
    assert!(handshakes.iter().all(|failure| failure.contains("alert")), "{handshakes:#?}");
    assert_eq!(handshakes.is_empty(), !is_any_clear(&server.log()), "{}", server.log());
    assert!(signatures.iter().all(|failure| failure.contains("agent refused operation")), "{signatures:#?}");
    assert_eq!(signatures.is_empty(), !is_any_clear(&ssh.log()), "{}", ssh.log());
    for line in agent.log().lines().filter(|line| line.contains("no signature: ")) {
        assert_clear(line);
    }
    assert!(agent.log().contains("no signature: "), "the agent did not notice: {}", agent.log());
    let ended = agent.process.interrupt().succeeded();
    assert!(!ended.all().contains("panicked"), "{}", ended.all());
}

fn is_any_clear(text: &str) -> bool {
    CLEAR.iter().any(|clear| text.contains(clear))
}

#[track_caller]
fn assert_clear(failure: &str) {
    assert!(is_any_clear(failure), "{failure}");
}

#[track_caller]
fn wait(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        assert!(Instant::now() < deadline, "{what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// A folder with certificates and a message.
struct Bench {
    folder: TempDir,
    device: String,
}

impl Bench {
    fn new(board: &Board) -> Self {
        let bench = Self { folder: tempfile::tempdir().unwrap(), device: board.device() };
        for part in ["root", "device", "chain"] {
            let mut atecc = Command::new(program("atecc"));
            atecc.args(["--device", &bench.device, "cert", part, "--out"]);
            run(atecc.arg(bench.path(&format!("{part}.pem")))).succeeded();
        }
        let mut x509 = Command::new("openssl");
        x509.args(["x509", "-pubkey", "-noout", "-in"]).arg(bench.path("device.pem"));
        run(x509.arg("-out").arg(bench.path("public.pem"))).succeeded();
        fs::write(bench.path("message"), "open").unwrap();
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// `name` with our module on the port, which says on stderr what a return value cannot.
    fn command(&self, name: &str) -> Command {
        let mut command = Command::new(name);
        command.env("PKCS11_MODULE_PATH", module()).env("ATECC_DEVICE", &self.device).env("ATECC_LOG", "1");
        command
    }

    /// A process that is started once and logs into a file.
    fn start(&self, command: &Command, log: &Path) -> Running {
        let mut shell = self.command("sh");
        shell
            .args(["-c", "exec \"$@\" 2> \"$0\""])
            .arg(log)
            .arg(command.get_program())
            .args(command.get_args());
        Running::start(&mut shell)
    }

    fn openssl(&self) -> OpenSsl<'_> {
        OpenSsl { bench: self }
    }

    fn server(&self) -> Server {
        let (port, log) = (free_port(), self.path("s_server.log"));
        let mut server = Command::new("openssl");
        server.args(["s_server", "-engine", "pkcs11", "-keyform", "engine", "-key", KEY, "-cert"]);
        server.arg(self.path("device.pem")).args(["-quiet", "-accept", &format!("127.0.0.1:{port}")]);
        let process = self.start(&server, &log);
        let server = Server { port, log, _process: process };
        wait("openssl s_server", || server.attempt().is_ok());
        server
    }

    fn ssh(&self) -> Ssh<'_> {
        let (socket, log) = (self.path("agent.sock"), self.path("ssh-agent.log"));
        let module = module().canonicalize().unwrap();
        let mut agent = Command::new("ssh-agent");
        agent.args(["-D", "-P", &format!("{}/*", module.parent().unwrap().display()), "-a"]).arg(&socket);
        let process = self.start(&agent, &log);
        wait_for_socket(&socket);
        let mut add = Command::new("ssh-add");
        add.env("SSH_AUTH_SOCK", &socket).env("SSH_ASKPASS_REQUIRE", "force").env("SSH_ASKPASS", "/bin/true");
        run(add.arg("-s").arg(&module)).succeeded();
        let keys = run(Command::new("ssh-add").arg("-L").env("SSH_AUTH_SOCK", &socket)).succeeded().text();
        fs::write(self.path("chip.pub"), &keys).unwrap();
        fs::write(self.path("allowed"), format!("gateway {keys}")).unwrap();
        Ssh { bench: self, socket, log, _process: process }
    }

    fn agent(&self, serial_number: &str) -> Agent {
        let broker = Broker::start(&self.path("root.pem"));
        let proxy = Proxy::start(broker.port());
        let mut command = broker.agent(self.folder.path(), &format!("sn{serial_number}"), &self.device);
        command.arg("--log").arg("info");
        let config = self.path("agent.toml");
        let text = fs::read_to_string(&config).unwrap();
        let text = format!(
            "address = \"127.0.0.1:{}\"\n{text}interval_seconds = 1\n\n[reconnect]\nfirst_seconds = 1\nlongest_seconds = 1\n\n\
             [shadow]\nenabled = false\n",
            proxy.port()
        );
        fs::write(&config, text).unwrap();
        let log = self.path("agent.log");
        let process = self.start(&command, &log);
        wait("the agent", || fs::read_to_string(&log).is_ok_and(|log| log.contains("PUBACK")));
        Agent { log, proxy, process, _broker: broker }
    }
}

/// `openssl dgst`, a process for each signature.
struct OpenSsl<'a> {
    bench: &'a Bench,
}

impl OpenSsl<'_> {
    fn attempt(&self) -> Result<(), String> {
        let (message, signature) = (self.bench.path("message"), self.bench.path("signature"));
        let mut sign = self.bench.command("openssl");
        sign.args(["dgst", "-engine", "pkcs11", "-keyform", "engine", "-sha256", "-sign", KEY, "-out"]);
        let signed = run(sign.arg(&signature).arg(&message));
        if !signed.status.success() {
            return Err(signed.all());
        }
        let mut verify = Command::new("openssl");
        verify.args(["dgst", "-sha256", "-verify"]).arg(self.bench.path("public.pem")).arg("-signature");
        run(verify.arg(&signature).arg(&message)).succeeded();
        Ok(())
    }
}

/// `openssl s_server` with the key in the chip: a signature for each handshake.
struct Server {
    port: u16,
    log: PathBuf,
    _process: Running,
}

impl Server {
    /// A handshake of a client without a chip.
    fn attempt(&self) -> Result<(), String> {
        let mut client = Command::new("openssl");
        client.args(["s_client", "-tls1_3", "-connect", &format!("127.0.0.1:{}", self.port)]);
        let finished = run_with_input(&mut client, b"");
        let is_made = finished.all().contains("Cipher is TLS_");
        if is_made && finished.status.success() { Ok(()) } else { Err(finished.all()) }
    }

    fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }
}

/// `ssh-keygen -Y sign` with the key that an `ssh-agent` has from our module.
struct Ssh<'a> {
    bench: &'a Bench,
    socket: PathBuf,
    log: PathBuf,
    _process: Running,
}

impl Ssh<'_> {
    fn attempt(&self) -> Result<(), String> {
        let mut sign = Command::new("ssh-keygen");
        sign.env("SSH_AUTH_SOCK", &self.socket).args(["-q", "-Y", "sign", "-n", "file", "-f"]);
        let signed = run_with_input(sign.arg(self.bench.path("chip.pub")), b"open");
        if !signed.status.success() {
            return Err(signed.all());
        }
        let signature = self.bench.path("ssh.sig");
        fs::write(&signature, &signed.stdout).unwrap();
        let mut verify = Command::new("ssh-keygen");
        verify.args(["-Y", "verify", "-I", "gateway", "-n", "file", "-f"]).arg(self.bench.path("allowed"));
        run_with_input(verify.arg("-s").arg(&signature), b"open").succeeded();
        Ok(())
    }

    fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }
}

/// `atecc-agent run`, which publishes each second, and its way to the broker.
struct Agent {
    log: PathBuf,
    proxy: Proxy,
    process: Running,
    _broker: Broker,
}

impl Agent {
    fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    /// How often the broker acknowledged.
    fn published(&self) -> usize {
        self.log().matches("PUBACK").count()
    }
}
