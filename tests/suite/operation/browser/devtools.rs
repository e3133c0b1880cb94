//! Chromium, driven through its DevTools protocol over a pair of pipes.

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use base64ct::{Base64, Encoding};
use serde_json::{Value, json};

use super::super::daemon::LIMIT;
use crate::support::run;

/// A browser with one page; killed when dropped.
pub(super) struct Browser {
    child: Child,
    commands: File,
    answers: Receiver<Value>,
    number: u64,
    session: Option<String>,
    requests: Vec<String>,
    complaints: Vec<String>,
}

impl Browser {
    /// Starts it with a profile of its own. All hosts but this machine do not exist for it.
    #[track_caller]
    pub(super) fn start(folder: &Path) -> Self {
        let [to, from] = ["to-browser", "from-browser"].map(|name| folder.join(name));
        run(Command::new("mkfifo").args([&to, &from])).succeeded();
        let profile = folder.join("profile");
        fs::create_dir(&profile).unwrap();
        // It reads commands from descriptor 3 and writes answers to 4, each ended by a zero.
        let script = r#"to=$1 from=$2; shift 2; exec chromium "$@" 3<"$to" 4>"$from""#;
        let mut shell = Command::new("sh");
        shell.args(["-c", script, "sh"]).arg(&to).arg(&from);
        shell.args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-default-apps",
            "--hide-scrollbars",
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
            "--remote-debugging-pipe",
        ]);
        shell.arg(format!("--user-data-dir={}", profile.display())).arg("about:blank");
        let child = shell
            .env("HOME", &profile)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let child = child.unwrap();
        let commands = OpenOptions::new().write(true).open(to).unwrap();
        let read = BufReader::new(File::open(from).unwrap());
        let (sender, answers) = channel();
        thread::spawn(move || {
            for message in read.split(0).map_while(Result::ok) {
                if sender.send(serde_json::from_slice(&message).unwrap()).is_err() {
                    break;
                }
            }
        });
        let (requests, complaints) = (Vec::new(), Vec::new());
        let mut browser = Self { child, commands, answers, number: 0, session: None, requests, complaints };
        let target = browser.command("Target.createTarget", json!({ "url": "about:blank" }));
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let attached = browser.command("Target.attachToTarget", attach);
        browser.session = attached["sessionId"].as_str().map(str::to_owned);
        for domain in ["Network", "Page", "Runtime", "Log"] {
            browser.command(&format!("{domain}.enable"), json!({}));
        }
        browser
    }

    #[track_caller]
    pub(super) fn open(&mut self, url: &str) {
        let opened = self.command("Page.navigate", json!({ "url": url }));
        assert!(opened["errorText"].is_null(), "{opened}");
    }

    /// The value of an expression in the page.
    #[track_caller]
    pub(super) fn evaluate(&mut self, expression: &str) -> Value {
        let result =
            self.command("Runtime.evaluate", json!({ "expression": expression, "returnByValue": true }));
        assert!(result["exceptionDetails"].is_null(), "{result}");
        result["result"]["value"].clone()
    }

    /// What stands in an element; empty if there is none yet.
    #[track_caller]
    pub(super) fn text(&mut self, id: &str) -> String {
        let text = self.evaluate(&format!("document.getElementById('{id}')?.innerText ?? ''"));
        text.as_str().unwrap().to_owned()
    }

    #[track_caller]
    pub(super) fn is_visible(&mut self, id: &str) -> bool {
        self.evaluate(&format!("document.getElementById('{id}').checkVisibility()")) == json!(true)
    }

    /// Waits until the text of an element fits.
    #[track_caller]
    pub(super) fn shows(&mut self, id: &str, fits: impl Fn(&str) -> bool) {
        let end = Instant::now() + LIMIT;
        loop {
            let text = self.text(id);
            if fits(&text) {
                return;
            }
            assert!(Instant::now() < end, "{id} stays {text:?}; complaints: {:?}", self.complaints);
            thread::sleep(Duration::from_millis(200));
        }
    }

    pub(super) fn size(&mut self, width: u32, height: u32, phone: bool) {
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 2, "mobile": phone });
        self.command("Emulation.setDeviceMetricsOverride", metrics);
    }

    pub(super) fn dark(&mut self, dark: bool) {
        let value = if dark { "dark" } else { "light" };
        let features = json!([{ "name": "prefers-color-scheme", "value": value }]);
        self.command("Emulation.setEmulatedMedia", json!({ "features": features }));
    }

    /// A PNG of the whole page.
    pub(super) fn screenshot(&mut self, width: u32) -> Vec<u8> {
        let height = self.evaluate("document.documentElement.scrollHeight");
        let clip = json!({ "x": 0, "y": 0, "width": width, "height": height, "scale": 1 });
        let parameters = json!({ "format": "png", "captureBeyondViewport": true, "clip": clip });
        let picture = self.command("Page.captureScreenshot", parameters);
        Base64::decode_vec(picture["data"].as_str().unwrap()).unwrap()
    }

    /// Every address that the page asked for.
    pub(super) fn requests(&self) -> Vec<String> {
        self.requests.clone()
    }

    /// Errors of the script, and what its policy forbade.
    pub(super) fn complaints(&self) -> Vec<String> {
        self.complaints.clone()
    }

    #[track_caller]
    fn command(&mut self, method: &str, parameters: Value) -> Value {
        self.number += 1;
        let mut command = json!({ "id": self.number, "method": method, "params": parameters });
        if let Some(session) = &self.session {
            command["sessionId"] = json!(session);
        }
        self.commands.write_all(command.to_string().as_bytes()).unwrap();
        self.commands.write_all(&[0]).unwrap();
        let end = Instant::now() + LIMIT;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let message = self
                .answers
                .recv_timeout(left)
                .unwrap_or_else(|_| panic!("Chromium does not answer to {method}; tests/run installs it"));
            if message["id"] == json!(self.number) {
                assert!(message["error"].is_null(), "{method}: {message}");
                return message["result"].clone();
            }
            self.note(&message);
        }
    }

    fn note(&mut self, event: &Value) {
        let told = &event["params"];
        match event["method"].as_str().unwrap_or_default() {
            "Network.requestWillBeSent" => {
                self.requests.push(told["request"]["url"].as_str().unwrap_or_default().to_owned());
            }
            "Runtime.exceptionThrown" => self.complaints.push(told.to_string()),
            "Log.entryAdded" if told["entry"]["level"] == "error" => {
                self.complaints.push(told["entry"].to_string());
            }
            _ => {}
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
