//! OpenSSL 3.0 with libp11's engine and our module: the chip's key in TLS, requests and signatures.

use std::{
    fs,
    net::TcpStream,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use super::support::{Chip, Running, ServerCertificate, free_port, module, run, run_with_input};

/// The key as users write it.
const KEY: &str = "pkcs11:object=device;type=private";

/// `openssl VERB -engine pkcs11` with our module and `device`.
fn openssl(verb: &str, device: &str) -> Command {
    let mut command = Command::new("openssl");
    command.arg(verb).args(["-engine", "pkcs11"]);
    command.env("PKCS11_MODULE_PATH", module()).env("ATECC_DEVICE", device);
    command
}

/// `openssl s_server` that lets in only who proves a certificate under the chip's root.
struct Server {
    port: u16,
    _process: Running,
}

impl Server {
    fn start(chip: &Chip, certificate: &ServerCertificate, protocol: &str) -> Self {
        let port = free_port();
        let mut command = Command::new("openssl");
        command.args(["s_server", "-www", protocol, "-Verify", "2", "-verify_return_error"]);
        command.args(["-accept", &format!("127.0.0.1:{port}")]).arg("-CAfile").arg(chip.path("root.pem"));
        command.arg("-cert").arg(certificate.certificate()).arg("-key").arg(certificate.key());
        let process = Running::start(&mut command);
        let deadline = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < deadline, "openssl s_server does not listen");
            thread::sleep(Duration::from_millis(20));
        }
        Self { port, _process: process }
    }
}

/// The status page that `s_server -www` shows to whom it lets in.
pub(crate) fn fetch_status_page(chip: &Chip, device: &str, protocol: &str) -> String {
    let certificate = ServerCertificate::new();
    let server = Server::start(chip, &certificate, protocol);
    let mut client = openssl("s_client", device);
    chip.keep_cache_of(&mut client).args([
        protocol,
        "-keyform",
        "engine",
        "-key",
        KEY,
        "-connect",
        &format!("127.0.0.1:{}", server.port),
    ]);
    client.arg("-cert").arg(chip.path("device.pem")).arg("-cert_chain").arg(chip.path("signer.pem"));
    client.arg("-CAfile").arg(certificate.root()).args(["-verify_return_error", "-ign_eof"]);
    run_with_input(&mut client, b"GET / HTTP/1.0\r\n\r\n").succeeded().text()
}

#[track_caller]
fn assert_let_in(chip: &Chip, page: &str, protocol: &str) {
    assert!(page.contains("HTTP/1.0 200 ok"), "{page}");
    assert!(page.contains(protocol), "{page}");
    assert!(page.contains("Client certificate") && page.contains(&chip.common_name()), "{page}");
}

#[test]
fn tls_1_2_client_authentication() {
    let chip = Chip::new();
    let page = fetch_status_page(&chip, &chip.device(), "-tls1_2");
    assert_let_in(&chip, &page, "TLSv1.2");
}

#[test]
fn tls_1_3_client_authentication() {
    let chip = Chip::new();
    let page = fetch_status_page(&chip, &chip.device(), "-tls1_3");
    assert_let_in(&chip, &page, "TLSv1.3");
}

#[test]
fn tls_1_3_on_the_shared_bus() {
    let chip = Chip::new();
    let bus = chip.serve();
    let page = fetch_status_page(&chip, &bus.device(), "-tls1_3");
    assert_let_in(&chip, &page, "TLSv1.3");
}

/// The server that the tests above are let into does keep others out.
#[test]
fn a_client_without_the_chip_is_kept_out() {
    let chip = Chip::new();
    let certificate = ServerCertificate::new();
    let server = Server::start(&chip, &certificate, "-tls1_2");
    let mut client = Command::new("openssl");
    client.args(["s_client", "-tls1_2", "-connect", &format!("127.0.0.1:{}", server.port), "-ign_eof"]);
    client.arg("-cert").arg(certificate.certificate()).arg("-key").arg(certificate.key());
    let page = run_with_input(&mut client, b"GET / HTTP/1.0\r\n\r\n");
    assert!(!page.text().contains("HTTP/1.0 200 ok"), "{}", page.text());
}

#[test]
fn openssl_verifies_the_chain() {
    let chip = Chip::new();
    let verify = |file: &str| {
        run(Command::new("openssl")
            .args(["verify", "-x509_strict", "-show_chain", "-CAfile"])
            .arg(chip.path("root.pem"))
            .arg("-untrusted")
            .arg(chip.path("signer.pem"))
            .arg(chip.path(file)))
        .succeeded()
        .text()
    };
    assert!(verify("device.pem").contains("depth=2: O = ATECC EMULATOR, CN = EMULATOR Test Root CA"));
    assert!(verify("chain.pem").contains("OK"));
}

#[test]
fn signatures_with_every_digest_verify() {
    let chip = Chip::new();
    let message = chip.path("message");
    fs::write(&message, b"the chip signs this").unwrap();
    // SHA-1 is shorter than the curve's order and SHA-512 longer: padded and cut as the standard says.
    for digest in ["-sha1", "-sha256", "-sha384", "-sha512"] {
        let signature = chip.path("signature");
        let mut sign = openssl("dgst", &chip.device());
        sign.args(["-keyform", "engine", digest, "-sign", KEY, "-out"]).arg(&signature).arg(&message);
        run(&mut sign).succeeded();
        let verified = run(Command::new("openssl")
            .args(["dgst", digest, "-verify"])
            .arg(public_key(&chip))
            .arg("-signature")
            .arg(&signature)
            .arg(&message));
        assert!(verified.text().contains("Verified OK"), "{digest}: {}", verified.all());
    }
}

#[test]
fn a_certificate_request_names_the_curve_and_verifies() {
    let chip = Chip::new();
    let request = chip.path("request.pem");
    let mut req = openssl("req", &chip.device());
    req.args(["-new", "-keyform", "engine", "-key", KEY, "-subj", "/CN=gateway", "-out"]).arg(&request);
    run(&mut req).succeeded();
    let shown = run(Command::new("openssl").args(["req", "-verify", "-noout", "-text", "-in"]).arg(&request));
    assert!(shown.all().contains("verify OK"), "{}", shown.all());
    assert!(shown.text().contains("ASN1 OID: prime256v1"), "{}", shown.text());
}

/// The public key in the chip's certificate, as a PEM file.
fn public_key(chip: &Chip) -> PathBuf {
    let path = chip.path("public.pem");
    extract_public_key(&chip.path("device.pem"), &path);
    path
}

fn extract_public_key(certificate: &Path, to: &Path) {
    let key =
        run(Command::new("openssl").args(["x509", "-noout", "-pubkey", "-in"]).arg(certificate)).succeeded();
    fs::write(to, key.stdout).unwrap();
}
