//! The status page in a browser, Debian's Chromium without a screen.
//!
//! With `ATECC_SCREENSHOTS` the test takes its time to make something to look at, and leaves pictures in that folder:
//! docs/screens/status/make.

mod devtools;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::json;

use super::daemon::{LIMIT, wait_for};
use super::{LINES, Stage};
use crate::support::{program, run_with_input};
use devtools::Browser;

#[test]
fn the_page_asks_nobody_else_and_shows_what_changes() {
    let pictures = std::env::var_os("ATECC_SCREENSHOTS").map(PathBuf::from);
    let stage = Stage::new();
    let mut daemon = stage.daemon(&format!("{LINES}[local]\nsocket = 'mqtt.sock'\n"));
    let address = daemon.status_address();
    wait_for(&address, "delivery", |status| status["outbox"]["delivered"].as_u64().unwrap() > 0);
    let mut browser = Browser::start(stage.cloud.folder.path());
    browser.open(&format!("http://{address}/"));
    browser.shows("state", |text| text == "Connected");
    let first = browser.text("delivered");
    browser.shows("delivered", |text| text != first && text != "0");
    assert_eq!(browser.text("thing"), stage.chip.common_name());
    assert_eq!(browser.text("serial"), stage.chip.common_name().trim_start_matches("sn"));
    assert!(browser.is_visible("emulator"));
    browser.shows("rate-now", |text| text.parse::<f64>().is_ok());

    // The cloud goes away: backlog and a problem with its remedy.
    publish(&stage.cloud.path("mqtt.sock"), 50);
    stage.cloud.core.stop_listening().unwrap();
    stage.cloud.core.disconnect_all();
    publish(&stage.cloud.path("mqtt.sock"), 70);
    browser.shows("state", |text| text == "Not connected" || text == "Connecting");
    browser.shows("messages", |text| text.parse::<u32>().is_ok_and(|waiting| waiting >= 70));
    browser.shows("problems", |text| text.contains("check endpoint, port and the network"));
    if let Some(folder) = &pictures {
        picture(&mut browser, &folder.join("offline-phone.png"), &PHONE_DARK);
    }
    stage.cloud.core.resume_listening().unwrap();
    browser.shows("state", |text| text == "Connected");
    browser.shows("messages", |text| text == "0");
    if let Some(folder) = &pictures {
        make_something_to_look_at(&stage);
        browser.shows("messages", |text| text == "0");
        picture(&mut browser, &folder.join("desktop.png"), &DESKTOP);
        picture(&mut browser, &folder.join("desktop-dark.png"), &DESKTOP_DARK);
        picture(&mut browser, &folder.join("phone.png"), &PHONE);
    }
    // Nothing is wider than a phone.
    browser.size(360, 740, true);
    let overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
    assert_eq!(browser.evaluate(overflow), json!(0));

    // All that was asked for, and all that the page complained of.
    let requests = browser.requests();
    assert!(requests.len() > 3, "{requests:?}");
    for url in &requests {
        assert!(url.starts_with(&format!("http://{address}/")) || url.starts_with("data:"), "{url}");
    }
    assert_eq!(browser.complaints(), Vec::<String>::new());

    // The agent stops: the page says so.
    daemon.signal("TERM");
    browser.shows("state", |text| text == "The agent does not answer");
    daemon.ended();
}

/// Width, height, whether it is a phone, whether it is dark.
type Form = (u32, u32, bool, bool);
const DESKTOP: Form = (1180, 860, false, false);
const DESKTOP_DARK: Form = (1180, 860, false, true);
const PHONE: Form = (390, 844, true, false);
const PHONE_DARK: Form = (390, 844, true, true);

fn picture(browser: &mut Browser, file: &Path, form: &Form) {
    let (width, height, phone, dark) = *form;
    browser.size(width, height, phone);
    browser.dark(dark);
    sleep(Duration::from_secs(3));
    fs::write(file, browser.screenshot(width)).unwrap();
}

/// Local programs publish, and the cloud is away for a while, over a minute and a half.
fn make_something_to_look_at(stage: &Stage) {
    let socket = stage.cloud.path("mqtt.sock");
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(95) {
        let second = start.elapsed().as_secs();
        if second == 40 {
            stage.cloud.core.stop_listening().unwrap();
            stage.cloud.core.disconnect_all();
        } else if second == 58 {
            stage.cloud.core.resume_listening().unwrap();
        }
        let wave = f64::from(u32::try_from(second).unwrap()) / 9.0;
        publish(&socket, 12 + (8.0 * wave.sin()) as u32);
        sleep(Duration::from_secs(second + 1).saturating_sub(start.elapsed()));
    }
    let _ = stage.cloud.core.resume_listening();
}

fn publish(socket: &Path, messages: u32) {
    let lines: String = (0..messages).map(|number| format!("reading {number}\n")).collect();
    let mut publish = Command::new(program("atecc-agent"));
    publish.args(["publish", "--lines", "--topic", "readings", "--timeout", &LIMIT.as_secs().to_string()]);
    run_with_input(publish.arg("--socket").arg(socket), lines.as_bytes()).succeeded();
}
