//! What happens, step by step. Every step is seen from the cloud's side and from the agent's.

use std::time::{Duration, Instant};

use atecc_agent::gpio::Line;
use atecc_agent::supervisor::{Agent, Cause, Report};
use iot_core_emulator::{Event, Listener, Qos, Reason};
use serde_json::{Value, json};

use crate::account::{Account, Shown};
use crate::stage::{Anything, Running, Stage};

/// How long one thing may take to happen.
const LIMIT: Duration = Duration::from_secs(15);
const COMMAND: &[u8] = b"{\"blink\":3}";

/// Which step is being shown, for the one who watches the clock.
pub(crate) type Progress = std::sync::Arc<std::sync::Mutex<&'static str>>;

/// What is done while the agent runs.
type Step = fn(&Stage, &mut Running) -> Anything<Shown>;

/// Tells the story; on failure says so in the account and returns false.
pub(crate) fn tell(mut account: Account, progress: &Progress) -> Anything<bool> {
    match all(&mut account, progress) {
        Ok(stage) => account.finish(&stage.token).map(|()| true),
        Err(error) => account.fail(step_of(progress), &error.to_string()).map(|()| false),
    }
}

/// The step that is being shown.
pub(crate) fn step_of(progress: &Progress) -> &'static str {
    *progress.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn all(account: &mut Account, progress: &Progress) -> Anything<Stage> {
    let begin = |name| {
        *progress.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = name;
        (name, Instant::now())
    };

    let (name, start) = begin("chip");
    let stage = Stage::new()?;
    account.step(name, &chip(&stage)?, stage.token.statistics(), start.elapsed())?;

    let mut told = |name, start: Instant, before, shown: Anything<Shown>| -> Anything<()> {
        account.step(name, &shown?, stage.token.statistics() - before, start.elapsed())
    };

    let before = stage.token.statistics();
    let (name, start) = begin("registry");
    told(name, start, before, registry(&stage))?;

    let before = stage.token.statistics();
    let (name, start) = begin("handshake");
    let mut agent = Running::start(Agent::new(stage.config(Listener::Alpn)?, &stage.identity)?)?;
    told(name, start, before, handshake(&stage, &mut agent))?;

    let steps: [(_, Step); 5] = [
        ("telemetry", telemetry),
        ("command", command),
        ("shadow", shadow),
        ("reconnect", reconnect),
        ("goodbye", goodbye),
    ];
    for (name, step) in steps {
        let before = stage.token.statistics();
        let (name, start) = begin(name);
        told(name, start, before, step(&stage, &mut agent))?;
    }
    Ok(stage)
}

fn chip(stage: &Stage) -> Anything<Shown> {
    let serial = stage.token.serial_number().to_string();
    must(stage.token.is_emulated(), "the chip does not say that it is emulated")?;
    Ok(Shown::new(
        format!(
            "EMULATOR {}, new from the factory\ncertificate of {} rebuilt from its slots",
            serial, stage.thing
        ),
        json!({ "serial_number": serial, "emulated": true }),
    ))
}

fn registry(stage: &Stage) -> Anything<Shown> {
    stage.register()?;
    let id = stage.certificate.to_string();
    Ok(Shown::new(
        format!("certificate {:.16}… ACTIVE\nthing {}, with a policy bound to the thing", id, stage.thing),
        json!({ "certificate_id": id, "thing": stage.thing, "status": "ACTIVE" }),
    ))
}

fn handshake(stage: &Stage, agent: &mut Running) -> Anything<Shown> {
    let agreed = agent.wait_for(0, LIMIT, "a connection", |report| match report {
        Report::Connected { handshake, .. } => Some(handshake.clone()),
        _ => None,
    })?;
    let accepted = stage.cloud.wait_for(LIMIT, |event| matches!(event, Event::TlsAccepted { .. }))?;
    let Event::TlsAccepted { version, cipher_suite, server_name, alpn, certificate_id, common_name, .. } =
        accepted
    else {
        return Err("another event came".into());
    };
    let common_name = common_name.unwrap_or_default();
    must(version == "TLSv1_3" && agreed.version == version, "the handshake was not TLS 1.3")?;
    must(server_name == stage.cloud.endpoint(), "SNI was not the endpoint")?;
    must(alpn.as_deref() == Some("x-amzn-mqtt-ca") && agreed.alpn == alpn, "ALPN was not x-amzn-mqtt-ca")?;
    must(certificate_id == stage.certificate, "another certificate was shown")?;
    must(common_name == stage.thing, "the certificate is not the chip's")?;
    must(
        stage.token.statistics().signatures == 1,
        "the handshake did not take exactly one signature of the chip",
    )?;
    stage.cloud.wait_for(LIMIT, |event| matches!(event, Event::Connected { .. }))?;
    Ok(Shown::new(
        format!("{version} {cipher_suite}, signed by the chip\nSNI {server_name}, ALPN x-amzn-mqtt-ca"),
        json!({ "version": version, "cipher_suite": cipher_suite, "sni": server_name, "alpn": alpn,
            "common_name": common_name, "took_ms": agreed.took.as_millis() as u64 }),
    ))
}

fn telemetry(stage: &Stage, agent: &mut Running) -> Anything<Shown> {
    let topic = format!("{}/telemetry", stage.thing);
    let seen_by_cloud = stage.cloud.subscribe(&topic)?;
    // One from now on, so that the cloud's subscription sees it.
    let message = seen_by_cloud.recv_timeout(LIMIT).map_err(|_| "the cloud received no telemetry")?;
    let sample: Value = serde_json::from_slice(&message.payload)?;
    let number = sample["sequence"].as_u64().ok_or("telemetry without a sequence number")?;
    let took = agent.wait_for(0, LIMIT, "a PUBACK", |report| match report {
        Report::TelemetryAcknowledged { sequence, acknowledgement } if *sequence == number => {
            Some(acknowledgement.took)
        }
        _ => None,
    })?;
    stage.cloud.wait_for(LIMIT, |event| {
        matches!(event, Event::Published { topic: at, acknowledged: true, qos: Qos::AtLeastOnce, .. } if *at == topic)
    })?;
    // The first message was published before there was a connection.
    let since = if number == 0 { ", handshake included" } else { "" };
    Ok(Shown::new(
        format!("message {number} at QoS 1, PUBACK after {} ms{since}", took.as_millis()),
        json!({ "topic": topic, "payload": sample, "puback_ms": took.as_millis() as u64 }),
    ))
}

fn command(stage: &Stage, agent: &mut Running) -> Anything<Shown> {
    let topic = format!("{}/commands", stage.thing);
    let place = agent.now();
    stage.cloud.publish(&topic, COMMAND, Qos::AtLeastOnce)?;
    agent.wait_for(place, LIMIT, "a command", |report| match report {
        Report::Command(message) => (message.topic == topic && message.payload == COMMAND).then_some(()),
        _ => None,
    })?;
    let text = String::from_utf8_lossy(COMMAND);
    Ok(Shown::new(format!("{text} received from the cloud"), json!({ "topic": topic, "payload": text })))
}

fn shadow(stage: &Stage, agent: &mut Running) -> Anything<Shown> {
    must(!agent.led.is_on(), "the led was on before anybody asked for it")?;
    let place = agent.now();
    let answers = stage.cloud.subscribe(&format!("$aws/things/{}/shadow/update/accepted", stage.thing))?;
    let desired = stage.cloud.set_desired(&stage.thing, &json!({ "led": true }))?;
    agent.wait_for(place, LIMIT, "the led", |report| match report {
        Report::LineSwitched { on: true, cause: Cause::Shadow { version }, .. } if *version == desired => {
            Some(())
        }
        _ => None,
    })?;
    let version = agent.wait_for(place, LIMIT, "shadow/update/accepted", |report| match report {
        Report::ShadowAccepted { version, .. } if *version > desired => Some(*version),
        _ => None,
    })?;
    must(agent.led.is_on(), "the led line is still off")?;
    let is_reported = |message: &iot_core_emulator::Message| {
        serde_json::from_slice::<Value>(&message.payload)
            .is_ok_and(|answer| answer["state"]["reported"]["led"] == json!(true))
    };
    let end = Instant::now() + LIMIT;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        let answer = answers.recv_timeout(left).map_err(|_| "the cloud did not see update/accepted")?;
        if is_reported(&answer) {
            break;
        }
    }
    let document = stage.cloud.registry().shadow(&stage.thing, None).ok_or("the thing has no shadow")?;
    must(document["state"]["reported"]["led"] == json!(true), "the shadow does not report led=true")?;
    must(document["state"]["delta"].is_null(), "the shadow still has a delta")?;
    Ok(Shown::new(
        format!(
            "desired led=true switched the line\nreported led=true, update accepted as version {version}"
        ),
        json!({ "state": document["state"], "version": version }),
    ))
}

fn reconnect(stage: &Stage, agent: &mut Running) -> Anything<Shown> {
    let place = agent.now();
    let signatures = stage.token.statistics().signatures;
    must(stage.cloud.disconnect_all() == 1, "there was not exactly one connection to cut")?;
    let reason = agent.wait_for(place, LIMIT, "the cut", |report| match report {
        Report::Disconnected { reason, retry_in, .. } => Some((reason.to_string(), *retry_in)),
        _ => None,
    })?;
    let attempt = agent.wait_for(place, LIMIT, "a new connection", |report| match report {
        Report::Connected { attempt, .. } => Some(*attempt),
        _ => None,
    })?;
    let place = agent.now();
    agent.wait_for(place, LIMIT, "a PUBACK on the new connection", |report| {
        matches!(report, Report::TelemetryAcknowledged { .. }).then_some(())
    })?;
    must(attempt == 2, "more than one attempt was needed")?;
    must(
        stage.token.statistics().signatures == signatures + 1,
        "the new handshake did not take exactly one signature",
    )?;
    stage.cloud.wait_for(LIMIT, |event| matches!(event, Event::Disconnected { reason: Reason::Cut, .. }))?;
    stage.cloud.wait_for(LIMIT, |event| matches!(event, Event::Connected { .. }))?;
    let (reason, retry_in) = reason;
    Ok(Shown::new(
        format!(
            "cut by the cloud, back after a wait of {} ms\none more handshake, telemetry goes on",
            retry_in.as_millis()
        ),
        json!({ "reason": reason, "retry_in_ms": retry_in.as_millis() as u64 }),
    ))
}

fn goodbye(stage: &Stage, agent: &mut Running) -> Anything<Shown> {
    let place = agent.now();
    agent.stop()?;
    let lost = agent.wait_for(place, LIMIT, "its end", |report| match report {
        Report::Stopped { unacknowledged } => Some(*unacknowledged),
        _ => None,
    })?;
    must(lost == 0, "messages were left behind")?;
    stage
        .cloud
        .wait_for(LIMIT, |event| matches!(event, Event::Disconnected { reason: Reason::Goodbye, .. }))?;
    Ok(Shown::new("nothing left behind, DISCONNECT", json!({ "unacknowledged": lost })))
}

fn must(condition: bool, otherwise: &str) -> Anything<()> {
    if condition { Ok(()) } else { Err(otherwise.into()) }
}
