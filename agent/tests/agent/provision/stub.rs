//! SORACOM from outside: Krypton and Endorse over HTTPS, with the checks that a stranger would make.
//!
//! Written from the descriptions of the two services, and shares nothing with the client. The SIM is a shell script that
//! computes with openssl; the stub does too.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64ct::{Base64, Encoding};
use rustls::{ServerConnection, StreamOwned};
use serde_json::{Value, json};

use super::scripted::tls;
use crate::LIMIT;

/// The secret of the SIM.
const SECRET: &str = "the SIM's";
pub(crate) const IMSI: &str = "440103123456789";
/// A timestamp may be so old.
const WINDOW: Duration = Duration::from_secs(300);

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

/// What the stub knows.
#[derive(Default)]
struct State {
    requests: Vec<Request>,
    challenges: u32,
    /// Of the challenge that waits for its answer.
    pending: Option<(String, String)>,
    verified: Option<(String, Vec<u8>)>,
    signatures: BTreeSet<String>,
}

pub(crate) struct Soracom {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl Soracom {
    /// Starts it; its CA certificate is soracom.pem in `folder`, and the program that asks the SIM is sim.sh. `answer` makes
    /// the answer to each provisioning request by its path.
    pub(crate) fn start(folder: &Path, answer: impl Fn(&str) -> Value + Send + 'static) -> Self {
        let (config, pem) = tls("localhost");
        fs::write(folder.join("soracom.pem"), pem).unwrap();
        fs::write(folder.join("sim.sh"), sim()).unwrap();
        fs::set_permissions(folder.join("sim.sh"), fs::Permissions::from_mode(0o700)).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::<Mutex<State>>::default();
        let shared = state.clone();
        thread::spawn(move || {
            while let Ok((socket, _)) = listener.accept() {
                socket.set_read_timeout(Some(LIMIT)).unwrap();
                let mut stream = StreamOwned::new(ServerConnection::new(config.clone()).unwrap(), socket);
                let Some(request) = read(&mut stream) else { continue };
                let (status, body) = shared.lock().unwrap().answer(request, &answer);
                let body = body.to_string();
                let head = format!(
                    "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                    body.len()
                );
                let _ = stream.write_all((head + &body).as_bytes()).and_then(|()| stream.flush());
                stream.conn.send_close_notify();
                let _ = stream.flush();
            }
        });
        Self { address, state }
    }

    pub(crate) fn url(&self) -> String {
        format!("https://localhost:{}", self.address.port())
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.state.lock().unwrap().requests.clone()
    }

    /// Sends `request` once more, by curl; gives the status.
    pub(crate) fn replay(&self, request: &Request, folder: &Path) -> String {
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--output", "/dev/null", "--write-out", "%{http_code}", "--max-time", "20"]);
        curl.arg("--cacert").arg(folder.join("soracom.pem")).args(["--data", &request.body]);
        for (name, value) in
            request.headers.iter().filter(|(name, _)| name.starts_with("x-soracom") || name == "content-type")
        {
            curl.args(["--header", &format!("{name}: {value}")]);
        }
        let output =
            curl.args(["--noproxy", "*"]).arg(format!("{}{}", self.url(), request.path)).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }
}

impl State {
    fn answer(&mut self, request: Request, answer: &impl Fn(&str) -> Value) -> (u16, Value) {
        self.requests.push(request.clone());
        let header = |name: &str| {
            let found = request.headers.iter().find(|(known, _)| known == name);
            found.map(|(_, value)| value.as_str())
        };
        if header("content-type") != Some("application/json") {
            return (415, json!({"code": "SEM0001", "message": "unsupported media type"}));
        }
        let body: Value = serde_json::from_str(&request.body).unwrap_or(Value::Null);
        if request.path == "/v1/keys" {
            return self.challenge(&body);
        }
        if let Some(key) =
            request.path.strip_prefix("/v1/keys/").and_then(|rest| rest.strip_suffix("/verify"))
        {
            return self.verify(key, &body);
        }
        if !request.path.starts_with("/v1/provisioning/") {
            return (404, json!({"code": "COM0001", "message": "no such path"}));
        }
        // Cellular: the line is the proof. With headers: the SIM is.
        if let Some(signature) = header("x-soracom-signature") {
            let timestamp = header("x-soracom-timestamp").unwrap_or_default();
            if header("x-soracom-digest-algorithm") != Some("SHA-256")
                || !self.is_signed(&body, &request.body, timestamp, signature)
            {
                return (401, json!({"code": "END0005", "message": "signature is not valid"}));
            }
        }
        (200, answer(&request.path))
    }

    fn challenge(&mut self, body: &Value) -> (u16, Value) {
        if body["imsi"] != IMSI {
            return (404, json!({"code": "END0001", "message": "no such SIM"}));
        }
        self.challenges += 1;
        let key = format!("key-{}", self.challenges);
        let random = digest(&format!("random {}", self.challenges))[..32].to_owned();
        // The first challenge is out of step, and has a proof of it in the second.
        if self.challenges > 1
            && let Some(auts) = body["auts"].as_str()
        {
            assert_eq!(Base64::decode_vec(auts).unwrap(), [0x0f; 14]);
            assert!(body["rand"].is_string());
        }
        self.pending = Some((key.clone(), random.clone()));
        let token = digest(&format!("autn {SECRET} {random}"))[..32].to_owned();
        (401, json!({ "keyId": key, "rand": base64(&random), "autn": base64(&token) }))
    }

    fn verify(&mut self, key: &str, body: &Value) -> (u16, Value) {
        let Some((known, random)) = self.pending.take() else { return (404, json!({})) };
        let expected = base64(&digest(&format!("res {SECRET} {random}"))[..16]);
        if key != known || body["res"] != expected.as_str() {
            return (401, json!({"code": "END0003", "message": "authentication failed"}));
        }
        self.verified = Some((known, unhex(&digest(&format!("ck {SECRET} {random}"))[..32])));
        (200, json!({}))
    }

    fn is_signed(&mut self, body: &Value, text: &str, timestamp: &str, signature: &str) -> bool {
        let Some((key, secret)) = &self.verified else { return false };
        let milliseconds: u64 = timestamp.parse().unwrap_or(0);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let is_new = Duration::from_millis(milliseconds).abs_diff(now) < WINDOW;
        let signed = [text.as_bytes(), timestamp.as_bytes(), secret].concat();
        let expected = Base64::encode_string(&openssl(&signed));
        body["keyId"] == key.as_str()
            && is_new
            && expected == signature
            // Nobody sends what somebody sent.
            && self.signatures.insert(signature.to_owned())
    }
}

/// SHA-256 by openssl.
fn openssl(bytes: &[u8]) -> Vec<u8> {
    let mut child = Command::new("openssl")
        .args(["dgst", "-sha256", "-binary"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(bytes).unwrap();
    child.wait_with_output().unwrap().stdout
}

fn digest(text: &str) -> String {
    openssl(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn base64(hex: &str) -> String {
    Base64::encode_string(&unhex(hex))
}

/// A SIM that takes the first challenge for an old one, and none that another network made.
fn sim() -> String {
    format!(
        r#"#!/bin/sh
set -eu
digest() {{ printf '%s' "$1" | openssl dgst -sha256 -hex | sed 's/.* //'; }}
folder=$(dirname "$0")
case "$1" in
imsi) echo "imsi={IMSI}" ;;
authenticate)
    secret=$(cat "$folder/sim.secret" 2>/dev/null || echo "{SECRET}")
    if [ "$(digest "autn {SECRET} $2" | cut -c1-32)" != "$3" ]; then echo "MAC failure" >&2; exit 1; fi
    if [ ! -e "$folder/sim.step" ]; then touch "$folder/sim.step"; echo "auts=0f0f0f0f0f0f0f0f0f0f0f0f0f0f"; exit; fi
    echo "res=$(digest "res $secret $2" | cut -c1-16)"
    echo "ck=$(digest "ck $secret $2" | cut -c1-32)" ;;
esac
"#
    )
}

fn read(stream: &mut StreamOwned<ServerConnection, TcpStream>) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split(' ');
    let (method, path) = (words.next()?, words.next()?.to_owned());
    assert_eq!(method, "POST");
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let mut body = vec![0; length.map_or(0, |(_, value)| value.parse().unwrap())];
    reader.read_exact(&mut body).ok()?;
    Some(Request { path, headers, body: String::from_utf8(body).unwrap() })
}
