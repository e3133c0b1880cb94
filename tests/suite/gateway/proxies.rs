//! Through the proxies of Debian, to port 443 with ALPN, and over IPv6.

use std::fs;
use std::net::{Ipv6Addr, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use iot_core_emulator::{Event, Listener, Options};
use tempfile::TempDir;

use super::{Cloud, LIMIT, agent};
use crate::support::{Chip, Running, free_port, run};

const PASSWORD: &str = "gl4ss_b33ts";

/// A proxy of Debian, running on a port of the loopback interface.
struct Proxy {
    port: u16,
    folder: TempDir,
    running: Running,
}

impl Proxy {
    /// `start` gets a folder for its files and the port.
    fn start(start: impl FnOnce(&std::path::Path, u16) -> Command) -> Self {
        let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
        let mut proxy = Self { port, running: Running::start(&mut start(folder.path(), port)), folder };
        let end = Instant::now() + LIMIT;
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < end, "the proxy does not start:\n{}", proxy.running.kill());
            thread::sleep(Duration::from_millis(20));
        }
        proxy
    }

    /// tinyproxy, which lets CONNECT through to one port, for whoever knows the password if there is one.
    fn tinyproxy(to: u16, password: Option<&str>) -> Self {
        Self::start(|folder, port| {
            let login =
                password.map(|password| format!("BasicAuth gateway {password}\n")).unwrap_or_default();
            let log = folder.join("log");
            let text = format!(
                "Port {port}\nListen 127.0.0.1\nTimeout 60\nMaxClients 50\nLogLevel Connect\nLogFile \"{}\"\nConnectPort {to}\n{login}",
                log.display()
            );
            fs::write(folder.join("conf"), text).unwrap();
            let mut tinyproxy = Command::new("tinyproxy");
            tinyproxy.args(["-d", "-c"]).arg(folder.join("conf"));
            tinyproxy
        })
    }

    fn microsocks(password: Option<&str>) -> Self {
        Self::start(|_, port| {
            let mut microsocks = Command::new("microsocks");
            microsocks.args(["-i", "127.0.0.1", "-p", &port.to_string()]);
            if let Some(password) = password {
                microsocks.args(["-u", "gateway", "-P", password]);
            }
            microsocks
        })
    }

    /// Dante, which lets everybody connect to `to` alone.
    fn dante(to: u16) -> Self {
        Self::start(|folder, port| {
            let rule = |verdict, port: &str| {
                format!("socks {verdict} {{ from: 0/0 to: 0/0 {port} command: connect }}\n")
            };
            let text = format!(
                "logoutput: {}\ninternal: 127.0.0.1 port = {port}\nexternal: lo\nclientmethod: none\nsocksmethod: none\nclient pass {{ from: 0/0 to: 0/0 }}\n{}{}",
                folder.join("log").display(),
                rule("pass", &format!("port = {to}")),
                rule("block", "")
            );
            fs::write(folder.join("conf"), text).unwrap();
            let mut danted = Command::new("danted");
            danted.arg("-f").arg(folder.join("conf")).args(["-p"]).arg(folder.join("pid"));
            danted
        })
    }

    /// Its requests, as tinyproxy logs them.
    fn requests(&self) -> usize {
        let log = fs::read_to_string(self.folder.path().join("log")).unwrap();
        log.lines()
            .filter(|line| line.contains("Request (file descriptor") && line.contains(": CONNECT "))
            .count()
    }
}

/// A cloud, a chip that it knows, and the lines that say where the chip is.
struct Scene {
    cloud: Cloud,
    chip: Chip,
}

impl Scene {
    fn with(options: Options) -> Self {
        let scene = Self { cloud: Cloud::with(options), chip: Chip::new() };
        scene.cloud.register(&scene.chip.path("device.pem"));
        scene
    }

    fn new() -> Self {
        Self::with(Options::default())
    }

    /// Port 443 of the cloud, by a name.
    fn port(&self) -> u16 {
        self.cloud.core.alpn_address().port()
    }

    fn config(&self, lines: &str) -> PathBuf {
        let (device, port) = (self.chip.device(), self.port());
        self.cloud.config_for(443, &format!("address = 'localhost:{port}'\ndevice = '{device}'\n{lines}"))
    }

    /// The agent publishes once, by ALPN. Returns what it logged.
    #[track_caller]
    fn to_a_puback(&self, lines: &str, variables: &[(&str, &str)]) -> String {
        let mut command = agent(&self.config(lines));
        command.args(["--log", "trace", "--once"]).envs(variables.iter().copied());
        let said = run(self.chip.keep_cache_of(&mut command)).succeeded().stderr;
        assert!(said.contains("telemetry acknowledged (PUBACK)"), "{said}");
        let by_alpn = |event: &Event| matches!(event, Event::TlsAccepted { listener: Listener::Alpn, alpn: Some(alpn), .. } if alpn == "x-amzn-mqtt-ca");
        self.cloud.core.wait_for(LIMIT, by_alpn).unwrap();
        said
    }

    /// What it says last when it cannot connect.
    #[track_caller]
    fn failure(&self, lines: &str) -> String {
        let mut command = agent(&self.config(lines));
        let said =
            run(self.chip.keep_cache_of(command.args(["--log", "trace", "--once"]))).failed_with(1).stderr;
        assert!(!said.contains(PASSWORD), "{said}");
        said.lines().last().unwrap_or_default().to_owned()
    }
}

#[test]
fn through_an_http_proxy_to_port_443() {
    let scene = Scene::new();
    let open = Proxy::tinyproxy(scene.port(), None);
    scene.to_a_puback(&format!("proxy = 'http://127.0.0.1:{}'\n", open.port), &[]);
    assert_eq!(open.requests(), 1);

    let guarded = Proxy::tinyproxy(scene.port(), Some(PASSWORD));
    let url = format!("http://gateway@127.0.0.1:{}", guarded.port);
    fs::write(scene.cloud.path("password"), format!("{PASSWORD}\n")).unwrap();
    let in_file = format!("proxy = '{url}'\nproxy_password_file = 'password'\n");
    let in_url = format!(
        "proxy = '{}'\n",
        url.replace("gateway", &format!("gateway:{}", PASSWORD.replace('_', "%5F")))
    );
    for lines in [in_file, in_url] {
        let said = scene.to_a_puback(&lines, &[]);
        assert!(!said.contains(PASSWORD) && !said.contains("gl4ss"), "{said}");
    }
    fs::write(scene.cloud.path("proxy_password"), PASSWORD).unwrap();
    let folder = scene.cloud.folder.path().to_str().unwrap();
    scene.to_a_puback(&format!("proxy = '{url}'\n"), &[("CREDENTIALS_DIRECTORY", folder)]);
    assert_eq!(guarded.requests(), 3);
}

#[test]
fn through_a_socks_proxy_to_port_443() {
    let scene = Scene::new();
    let open = Proxy::microsocks(None);
    let guarded = Proxy::microsocks(Some(PASSWORD));
    let dante = Proxy::dante(scene.port());
    fs::write(scene.cloud.path("password"), format!("{PASSWORD}\n")).unwrap();
    for scheme in ["socks5", "socks5h"] {
        for port in [open.port, dante.port] {
            scene.to_a_puback(&format!("proxy = '{scheme}://127.0.0.1:{port}'\n"), &[]);
        }
        let url = format!("{scheme}://gateway@127.0.0.1:{}", guarded.port);
        scene.to_a_puback(&format!("proxy = '{url}'\nproxy_password_file = 'password'\n"), &[]);
    }
}

#[test]
fn what_is_wrong_with_a_proxy_is_said_in_one_sentence() {
    let scene = Scene::new();
    let guarded = Proxy::tinyproxy(scene.port(), Some(PASSWORD));
    let narrow = Proxy::tinyproxy(1, None);
    let (socks, dante) = (Proxy::microsocks(Some(PASSWORD)), Proxy::dante(1));
    let server = scene.port();
    let (guarded, narrow, socks, dante) = (guarded.port, narrow.port, socks.port, dante.port);
    for (url, says) in [
        (format!("http://127.0.0.1:{guarded}"), "it wants a user and a password"),
        (format!("http://gateway:wrong@127.0.0.1:{guarded}"), "it does not accept this user and password"),
        (format!("http://127.0.0.1:{narrow}"), "403"),
        (format!("socks5h://127.0.0.1:{socks}"), "another way to log in"),
        (format!("socks5h://gateway:wrong@127.0.0.1:{socks}"), "it does not accept this user and password"),
        (format!("socks5h://127.0.0.1:{dante}"), "not allowed by ruleset"),
        ("http://127.0.0.1:1".to_owned(), "cannot be reached"),
        // The other kind of proxy, and what is none.
        (format!("http://127.0.0.1:{socks}"), "no answer that can be understood"),
        (format!("http://127.0.0.1:{server}"), "no answer that can be understood"),
        (format!("socks5://127.0.0.1:{server}"), "no answer that can be understood"),
    ] {
        let said = scene.failure(&format!("proxy = '{url}'\n"));
        assert!(said.contains(says) && said.contains("proxy"), "{url}: {said}");
    }
}

#[test]
fn the_environment_names_a_proxy_only_if_asked() {
    let scene = Scene::new();
    let proxy = Proxy::tinyproxy(scene.port(), None);
    let url = format!("http://127.0.0.1:{}", proxy.port);
    let variables = [("https_proxy", url.as_str())];
    scene.to_a_puback("", &variables);
    scene.to_a_puback("proxy = 'environment'\n", &[variables[0], ("no_proxy", "localhost")]);
    assert_eq!(proxy.requests(), 0);
    scene.to_a_puback("proxy = 'environment'\n", &variables);
    assert_eq!(proxy.requests(), 1);
}

#[test]
fn over_ipv6() {
    let any_port = SocketAddr::from((Ipv6Addr::LOCALHOST, 0));
    let scene = Scene::with(Options { mqtt_address: any_port, alpn_address: any_port, ..Options::default() });
    let address = scene.cloud.core.alpn_address();
    let lines = format!("address = '{address}'\ndevice = '{}'\n", scene.chip.device());
    let mut command = agent(&scene.cloud.config_for(443, &lines));
    run(scene.chip.keep_cache_of(command.arg("--once"))).succeeded();
    // A proxy on IPv4 that reaches an IPv6 address.
    let proxy = Proxy::tinyproxy(scene.port(), None);
    let lines = format!("{lines}proxy = 'http://127.0.0.1:{}'\n", proxy.port);
    let mut command = agent(&scene.cloud.config_for(443, &lines));
    run(scene.chip.keep_cache_of(command.arg("--once"))).succeeded();
    assert_eq!(proxy.requests(), 1);
}
