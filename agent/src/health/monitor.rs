//! What is known of the agent, from what it reports.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use identity::Identity;

use super::history::History;
use super::problems::{Recent, now};
use super::status::{Connection, Handshake, Key, Outbox, Program, State, Status};
use crate::config::Config;
use crate::outbox::Notice;
use crate::supervisor::{Pulse, Report};

/// What is known of the agent. Clones share it.
#[derive(Clone, Debug)]
pub struct Monitor(Arc<Mutex<Known>>);

#[derive(Debug)]
struct Known {
    started: Instant,
    started_at: u64,
    endpoint: String,
    thing: String,
    client_id: String,
    state: State,
    /// When the state changed, and when the next attempt is due.
    changed: Instant,
    retry: Instant,
    connections: u64,
    failures: u64,
    reason: Option<String>,
    handshake: Option<Handshake>,
    key: Option<Key>,
    outbox: Outbox,
    local_clients: Option<usize>,
    problems: Recent,
    history: History,
}

impl Default for Monitor {
    fn default() -> Self {
        Self::new()
    }
}

impl Monitor {
    /// Of an agent that was started now.
    pub fn new() -> Self {
        let now_ = Instant::now();
        Self(Arc::new(Mutex::new(Known {
            started: now_,
            started_at: now(),
            endpoint: String::new(),
            thing: String::new(),
            client_id: String::new(),
            state: State::default(),
            changed: now_,
            retry: now_,
            connections: 0,
            failures: 0,
            reason: None,
            handshake: None,
            key: None,
            outbox: Outbox::default(),
            local_clients: None,
            problems: Recent::default(),
            history: History::default(),
        })))
    }

    /// Notes who the agent is, and how it is set up.
    pub fn describe(&self, identity: &Identity, config: &Config) {
        let expires = identity.leaf().tbs_certificate().validity().not_after.to_unix_duration();
        let mut known = self.lock();
        known.key = Some(Key {
            model: identity.model(),
            serial: identity.serial_number().map(|serial| serial.to_string()),
            emulated: identity.is_emulated(),
            certificate_expires_at: expires.as_secs(),
        });
        known.outbox.most_bytes = config.outbox.most_bytes;
    }

    /// Notes what happened.
    pub fn report(&self, report: &Report) {
        let mut known = self.lock();
        match report {
            Report::Starting { endpoint, thing, client_id } => {
                known.endpoint.clone_from(endpoint);
                known.thing.clone_from(thing);
                known.client_id.clone_from(client_id);
                known.change(State::Connecting);
            }
            Report::Connected { handshake, .. } => {
                known.connections += 1;
                known.reason = None;
                known.handshake = Some(Handshake {
                    version: handshake.version.clone(),
                    cipher_suite: handshake.cipher_suite.clone(),
                    alpn: handshake.alpn.clone(),
                    milliseconds: u64::try_from(handshake.took.as_millis()).unwrap_or(u64::MAX),
                });
                known.change(State::Connected);
            }
            Report::Disconnected { reason, retry_in, .. } => {
                known.failures += 1;
                known.reason = Some(reason.to_string());
                known.retry = Instant::now() + *retry_in;
                known.change(State::Waiting);
            }
            Report::Stopped { .. } => known.change(State::Stopped),
            Report::Outbox(notice) => known.noticed(notice),
            Report::Pulse(pulse) => known.pulse(pulse),
            _ => {}
        }
    }

    pub(super) fn problem(&self, level: &'static str, message: String, at: u64) {
        self.lock().problems.add(level, message, at);
    }

    /// How the agent is now.
    pub fn status(&self) -> Status {
        let known = self.lock();
        let now = Instant::now();
        // An attempt begins when it is due, without telling.
        let is_due = known.state == State::Waiting && known.retry <= now;
        let waiting = known.state == State::Waiting && !is_due;
        Status {
            agent: Program {
                version: env!("CARGO_PKG_VERSION"),
                started_at: known.started_at,
                uptime_seconds: known.started.elapsed().as_secs(),
                resident_bytes: resident_bytes(),
            },
            connection: Connection {
                state: if is_due { State::Connecting } else { known.state },
                state_seconds: if is_due { known.retry } else { known.changed }.elapsed().as_secs(),
                endpoint: known.endpoint.clone(),
                thing: known.thing.clone(),
                client_id: known.client_id.clone(),
                connections: known.connections,
                failures: known.failures,
                retry_in_seconds: waiting.then(|| seconds(known.retry.saturating_duration_since(now))),
                reason: known.reason.clone(),
                handshake: known.handshake.clone(),
            },
            key: known.key.clone(),
            outbox: known.outbox.clone(),
            local_clients: known.local_clients,
            problems: known.problems.list(),
            history: known.history.clone(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        // Nothing in here is left half done by a panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn change(&mut self, state: State) {
        self.state = state;
        self.changed = Instant::now();
    }

    fn noticed(&mut self, notice: &Notice) {
        match notice {
            Notice::Refusing { reason } => self.outbox.refusing = Some(reason.to_string()),
            Notice::Taking => self.outbox.refusing = None,
            Notice::Dropped { messages, .. } => self.outbox.dropped += messages,
            Notice::Quarantined(_) => self.outbox.quarantined += 1,
            Notice::SetAside { .. } => {}
        }
    }

    fn pulse(&mut self, pulse: &Pulse) {
        let outbox = &pulse.outbox;
        self.outbox.messages = outbox.messages;
        self.outbox.bytes = outbox.bytes;
        self.outbox.taken = outbox.taken;
        self.outbox.delivered = outbox.delivered;
        self.local_clients = pulse.local_clients;
        self.history.add(Instant::now(), outbox.delivered, outbox.messages);
    }
}

/// In tenths.
fn seconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 10.0).round() / 10.0
}

fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kilobytes * 1024)
}
