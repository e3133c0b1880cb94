//! Programs that know no PKCS#11 use the key in the chip, through `atecc-agent tunnel`.

use std::path::Path;
use std::process::Command;
use std::time::Instant;
use std::{fs, net::TcpStream, os::unix::net::UnixStream, thread, time::Duration};

use super::LIMIT;
use crate::support::{Chip, Running, ServerCertificate, free_port, program, run};

/// `atecc-agent tunnel` from `entrance` to a port of this machine.
fn tunnel(chip: &Chip, certificate: &ServerCertificate, entrance: &str, port: u16) -> Running {
    let mut command = Command::new(program("atecc-agent"));
    command.args(["tunnel", "--listen", entrance, "--connect", &format!("127.0.0.1:{port}")]);
    command.args(["--server-name", "localhost", "--ca-file"]).arg(certificate.root());
    command.env("ATECC_DEVICE", chip.device()).env_remove("ATECC_LOG");
    for variable in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        command.env_remove(variable);
    }
    Running::start(chip.keep_cache_of(&mut command))
}

#[track_caller]
fn wait(what: &str, is_so: impl Fn() -> bool) {
    let end = Instant::now() + LIMIT;
    while !is_so() {
        assert!(Instant::now() < end, "{what}");
        thread::sleep(Duration::from_millis(10));
    }
}

fn listens(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}

#[test]
fn curl_shows_the_chips_certificate_through_a_unix_socket() {
    let (chip, certificate, port) = (Chip::new(), ServerCertificate::new(), free_port());
    for version in ["-tls1_2", "-tls1_3"] {
        let mut server = Command::new("openssl");
        server.args(["s_server", "-www", version, "-Verify", "2", "-verify_return_error", "-naccept", "3"]);
        server.args(["-accept", &port.to_string(), "-CAfile"]).arg(chip.path("root.pem"));
        server.arg("-cert").arg(certificate.certificate()).arg("-key").arg(certificate.key());
        let _server = Running::start(&mut server);
        wait("openssl s_server listens", || listens(port));
        let socket = chip.path(&format!("tunnel{version}.sock"));
        let _tunnel = tunnel(&chip, &certificate, &socket.display().to_string(), port);
        wait("the tunnel listens", || socket.exists());
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--show-error", "--unix-socket"]).arg(&socket).arg("http://localhost/");
        let page = run(&mut curl).succeeded().text();
        assert!(page.contains(&chip.common_name()), "{page}");
    }
}

#[test]
fn mosquittos_clients_publish_through_a_port() {
    let (chip, certificate) = (Chip::new(), ServerCertificate::new());
    let (broker, entrance) = (free_port(), free_port());
    let config = format!(
        "listener {broker} 127.0.0.1\nuser root\ncafile {}\ncertfile {}\nkeyfile {}\nrequire_certificate true\n\
         use_identity_as_username true\nacl_file {}\n",
        chip.path("root.pem").display(),
        certificate.certificate().display(),
        certificate.key().display(),
        chip.path("acl").display()
    );
    fs::write(chip.path("acl"), format!("user {}\ntopic readwrite #\n", chip.common_name())).unwrap();
    fs::write(chip.path("broker.conf"), config).unwrap();
    let path = if Path::new("/usr/sbin/mosquitto").exists() { "/usr/sbin/mosquitto" } else { "mosquitto" };
    let _broker = Running::start(Command::new(path).arg("-c").arg(chip.path("broker.conf")));
    wait("mosquitto listens", || listens(broker));
    let _tunnel = tunnel(&chip, &certificate, &format!("127.0.0.1:{entrance}"), broker);
    wait("the tunnel listens", || listens(entrance));
    let subscriber = || {
        let mut command = Command::new("mosquitto_sub");
        command.args([
            "-h",
            "127.0.0.1",
            "-p",
            &entrance.to_string(),
            "-t",
            "a",
            "-C",
            "1",
            "-W",
            "30",
            "-q",
            "1",
        ]);
        command
    };
    let mut publisher = Command::new("mosquitto_pub");
    publisher.args(["-h", "127.0.0.1", "-p", &entrance.to_string(), "-t", "a", "-m", "through", "-q", "1"]);
    // Retained, so that it does not matter who is first.
    run(publisher.arg("-r")).succeeded();
    assert_eq!(run(&mut subscriber()).succeeded().text(), "through\n");
}

#[test]
fn what_is_missing_is_said_in_one_sentence() {
    let (chip, certificate) = (Chip::new(), ServerCertificate::new());
    let root = certificate.root().display().to_string();
    let socket = chip.path("tunnel.sock").display().to_string();
    for (arguments, says) in [
        (vec!["--listen", &socket, "--connect", "a.test:1"], "--ca-file"),
        (vec!["--listen", &socket, "--connect", "a.test", "--ca-file", &root], "a.test"),
        (vec!["--listen", "0.0.0.0:0", "--connect", "a.test:1", "--ca-file", &root], "loopback"),
        (vec!["--listen", "/nowhere/sock", "--connect", "a.test:1", "--ca-file", &root], "/nowhere/sock"),
        (vec!["--listen", &socket, "--connect", "a.test:1", "--ca-file", "/nowhere.pem"], "/nowhere.pem"),
    ] {
        let mut command = Command::new(program("atecc-agent"));
        command.arg("tunnel").args(&arguments).env("ATECC_DEVICE", chip.device());
        let said = run(chip.keep_cache_of(&mut command)).failed_with(2).stderr;
        assert!(said.contains(says), "{arguments:?}: {said}");
    }
    assert!(UnixStream::connect(&socket).is_err());
}
