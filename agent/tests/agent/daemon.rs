//! The agent as a whole: what it does, and that it finds its way back.

use std::sync::{Arc, Mutex};

use atecc_agent::gpio::Line;
use atecc_agent::supervisor::{Agent, Report};
use iot_core_emulator::{Event, Listener, Reason};
use serde_json::json;

use crate::stage::{Running, Stage};
use crate::{LIMIT, registered};

fn start(stage: &Stage, listener: Listener) -> Running {
    Running::start(Agent::new(stage.config(listener).unwrap(), &stage.identity).unwrap()).unwrap()
}

fn connected(agent: &mut Running, place: usize) {
    let is_connected = |report: &Report| matches!(report, Report::Connected { .. }).then_some(());
    agent.wait_for(place, LIMIT, "a connection", is_connected).unwrap();
}

fn switched(agent: &mut Running, place: usize, to: bool) {
    let is_switched = |report: &Report| match report {
        Report::LineSwitched { on, .. } => (*on == to).then_some(()),
        _ => None,
    };
    agent.wait_for(place, LIMIT, "the led", is_switched).unwrap();
}

#[test]
fn what_was_desired_while_the_agent_was_away_is_done_when_it_is_back() {
    let stage = registered();
    let mut agent = start(&stage, Listener::Mqtt);
    connected(&mut agent, 0);
    stage.cloud.stop_listening().unwrap();
    assert_eq!(stage.cloud.disconnect_all(), 1);
    stage.cloud.set_desired(&stage.thing, &json!({ "led": true })).unwrap();
    let place = agent.now();
    stage.cloud.resume_listening().unwrap();
    connected(&mut agent, place);
    switched(&mut agent, place, true);
    assert!(agent.led.is_on());
    stage.cloud.set_desired(&stage.thing, &json!({ "led": false })).unwrap();
    switched(&mut agent, place, false);
    agent.stop().unwrap();
}

#[test]
fn a_desire_that_it_cannot_fulfil_is_told_and_not_repeated_for_ever() {
    let stage = registered();
    let mut agent = start(&stage, Listener::Alpn);
    connected(&mut agent, 0);
    stage.cloud.set_desired(&stage.thing, &json!({ "led": "on", "fan": true })).unwrap();
    let is_ignored = |report: &Report| matches!(report, Report::DesireIgnored { .. }).then_some(());
    agent.wait_for(0, LIMIT, "an ignored desire", is_ignored).unwrap();
    stage.cloud.set_desired(&stage.thing, &json!({ "led": true })).unwrap();
    switched(&mut agent, 0, true);
    agent.stop().unwrap();
    let updates = stage.cloud.events().filter(|event| matches!(event, Event::ShadowUpdated { .. })).count();
    assert!(updates < 10, "{updates} versions of the shadow");
}

#[test]
fn once_publishes_one_message_and_says_goodbye() {
    let stage = registered();
    let told = Arc::new(Mutex::new(Vec::new()));
    let observer = told.clone();
    let agent = Agent::new(stage.config(Listener::Alpn).unwrap(), &stage.identity)
        .unwrap()
        .observer(move |report| observer.lock().unwrap().push(report));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(agent.once(std::future::pending())).unwrap();
    let told = told.lock().unwrap();
    assert!(matches!(told.last(), Some(Report::Stopped { unacknowledged: 0 })), "{told:?}");
    let mut events = stage.cloud.events();
    let goodbye = |event: &Event| matches!(event, Event::Disconnected { reason: Reason::Goodbye, .. });
    events.wait_for(LIMIT, goodbye).unwrap();
    let published = stage.cloud.events().filter(|event| matches!(event, Event::Published { .. })).count();
    assert_eq!(published, 1);
}
