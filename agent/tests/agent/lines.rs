//! Lines: switched by shadows and by topics, and left in a safe state.

use std::time::{Duration, Instant};

use atecc_agent::gpio::{Line, SimulatedLine};
use atecc_agent::supervisor::{Agent, Cause, Report};
use iot_core_emulator::{Listener, Qos};
use serde_json::{Value, json};

use crate::stage::{Running, Stage};
use crate::{LIMIT, registered};

const BLINK: &str = "[[toggles]]\ntopic = '{client_id}/blink'\nline = 'led'\n";

fn agent(stage: &Stage, lines: &str) -> Agent {
    Agent::new(stage.config_with(Listener::Mqtt, lines).unwrap(), &stage.identity).unwrap()
}

/// A running agent with its first connection.
fn start(agent: Agent) -> Running {
    let mut running = Running::start(agent).unwrap();
    connected(&mut running, 0);
    running
}

fn connected(running: &mut Running, place: usize) {
    let is_connected = |report: &Report| matches!(report, Report::Connected { .. }).then_some(());
    running.wait_for(place, LIMIT, "a connection", is_connected).unwrap();
}

fn switched(running: &mut Running, place: usize, to: bool) -> Cause {
    let cause = |report: &Report| match report {
        Report::LineSwitched { on, cause, .. } => (*on == to).then_some(*cause),
        _ => None,
    };
    running.wait_for(place, LIMIT, "a line", cause).unwrap()
}

/// Waits until the shadow called `name` has `section` as it `must` be.
#[track_caller]
fn shadow(stage: &Stage, name: Option<&str>, section: &str, must: Value) {
    let end = Instant::now() + LIMIT;
    loop {
        let document = stage.cloud.registry().shadow(&stage.thing, name).unwrap_or_default();
        let is = document["state"].get(section).cloned().unwrap_or(json!({}));
        if is == must {
            return;
        }
        assert!(Instant::now() < end, "{section} is {is}, not {must}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn blink_toggles_the_led_and_the_shadow_follows() {
    let stage = registered();
    let mut running = start(agent(&stage, BLINK));
    let topic = format!("{}/blink", stage.thing);
    for on in [true, false, true] {
        let place = running.now();
        stage.cloud.publish(&topic, "whatever", Qos::AtMostOnce).unwrap();
        assert_eq!(switched(&mut running, place, on), Cause::Toggle);
        assert_eq!(running.led.is_on(), on);
        shadow(&stage, None, "reported", json!({ "led": on }));
    }
    running.stop().unwrap();
}

#[test]
fn the_newest_wish_wins_whether_by_topic_or_by_shadow() {
    let stage = registered();
    let mut running = start(agent(&stage, BLINK));
    stage.cloud.set_desired(&stage.thing, &json!({ "led": true })).unwrap();
    assert!(matches!(switched(&mut running, 0, true), Cause::Shadow { .. }));
    shadow(&stage, None, "reported", json!({ "led": true }));
    let place = running.now();
    stage.cloud.publish(&format!("{}/blink", stage.thing), "", Qos::AtLeastOnce).unwrap();
    assert_eq!(switched(&mut running, place, false), Cause::Toggle);
    // What the shadow desired before is taken back, or it would switch the led on again at once.
    shadow(&stage, None, "desired", json!({}));
    shadow(&stage, None, "reported", json!({ "led": false }));
    assert!(!running.led.is_on());
    let place = running.now();
    stage.cloud.set_desired(&stage.thing, &json!({ "led": true })).unwrap();
    assert!(matches!(switched(&mut running, place, true), Cause::Shadow { .. }));
    running.stop().unwrap();
}

/// Wishes by topic and by shadow cross each other; in the end line, report and desire say the same.
#[test]
fn wishes_that_cross_each_other_end_in_one_state() {
    let stage = registered();
    let mut running = start(agent(&stage, BLINK));
    let topic = format!("{}/blink", stage.thing);
    for round in 0_u32..40 {
        stage.cloud.set_desired(&stage.thing, &json!({ "led": round % 3 == 0 })).unwrap();
        stage.cloud.publish(&topic, "", Qos::AtLeastOnce).unwrap();
        std::thread::sleep(Duration::from_millis(u64::from(round % 7)));
    }
    let end = Instant::now() + LIMIT;
    let mut quiet = 0;
    while quiet < 30 {
        let state = stage.cloud.registry().shadow(&stage.thing, None).unwrap()["state"].clone();
        let is_one = state["reported"]["led"] == json!(running.led.is_on())
            && (state["desired"].get("led").is_none() || state["desired"]["led"] == state["reported"]["led"]);
        quiet = if is_one { quiet + 1 } else { 0 };
        assert!(Instant::now() < end, "{state}, and the led is {}", running.led.is_on());
        std::thread::sleep(Duration::from_millis(20));
    }
    running.stop().unwrap();
}

#[test]
fn a_line_of_a_named_shadow_is_in_no_other() {
    let stage = registered();
    let valve = SimulatedLine::default();
    let lines = "[[lines]]\nproperty = 'led'\n[[lines]]\nproperty = 'valve'\nshadow = 'water'\n";
    let mut running = start(agent(&stage, lines).line("valve", valve.clone()));
    shadow(&stage, None, "reported", json!({ "led": false }));
    shadow(&stage, Some("water"), "reported", json!({ "valve": false }));
    let topic = format!("$aws/things/{}/shadow/name/water/update", stage.thing);
    let desired = json!({ "state": { "desired": { "valve": true, "led": true } } });
    stage.cloud.publish(&topic, desired.to_string(), Qos::AtLeastOnce).unwrap();
    shadow(&stage, Some("water"), "reported", json!({ "valve": true }));
    assert!(valve.is_on() && !running.led.is_on());
    let ignored = |report: &Report| match report {
        Report::DesireIgnored { problem } => Some(problem.clone()),
        _ => None,
    };
    let problem = running.wait_for(0, LIMIT, "an ignored desire", ignored).unwrap();
    assert_eq!(problem, "desired: \"led\" is a property that this agent does not have");
    running.stop().unwrap();
}

#[test]
fn an_input_is_reported_and_not_switched() {
    let stage = registered();
    let mut door = SimulatedLine::default();
    let lines = "[[lines]]\nproperty = 'door'\ndirection = 'input'\n";
    let mut running = start(agent(&stage, lines).line("door", door.clone()));
    shadow(&stage, None, "reported", json!({ "door": false }));
    door.set(true).unwrap();
    shadow(&stage, None, "reported", json!({ "door": true }));
    stage.cloud.set_desired(&stage.thing, &json!({ "door": false })).unwrap();
    let ignored = |report: &Report| matches!(report, Report::DesireIgnored { .. }).then_some(());
    running.wait_for(0, LIMIT, "an ignored desire", ignored).unwrap();
    assert!(door.is_on());
    running.stop().unwrap();
}

#[test]
fn a_line_is_safe_when_the_cloud_is_gone_and_when_the_agent_ends() {
    let stage = registered();
    let lines = "[[lines]]\nproperty = 'led'\nsafe = false\nsafe_after_seconds = 1\n";
    let mut running = start(agent(&stage, lines));
    stage.cloud.set_desired(&stage.thing, &json!({ "led": true })).unwrap();
    switched(&mut running, 0, true);
    shadow(&stage, None, "reported", json!({ "led": true }));
    let place = running.now();
    stage.cloud.stop_listening().unwrap();
    stage.cloud.disconnect_all();
    assert_eq!(switched(&mut running, place, false), Cause::Safety);
    // What is desired is desired still.
    let place = running.now();
    stage.cloud.resume_listening().unwrap();
    assert!(matches!(switched(&mut running, place, true), Cause::Shadow { .. }));
    running.stop().unwrap();
    assert!(!running.led.is_on());
    shadow(&stage, None, "reported", json!({ "led": false }));
    shadow(&stage, None, "desired", json!({ "led": true }));
}
