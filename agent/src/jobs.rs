//! AWS IoT Jobs as a device sees them (developer guide, page "Jobs device MQTT API"): one execution at a time.
//!
//! No I/O here: what goes out is returned as topic and payload, and what came in is handed over. What an execution asks
//! for is an [`Operation`]; `command` runs the programs among them.

pub(crate) mod command;
mod document;
mod operation;

use std::time::{Duration, Instant};

use serde::Serialize;

use document::{Answer, Next, Rejected, StartNext, Started, Update, Updated};

pub use document::{Details, Execution, Status};
pub use operation::{Operation, Unfit};

/// How long the service may take to answer.
pub const ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// The device's side of the jobs of one thing. It has one request under way at a time.
#[derive(Debug)]
pub struct Jobs {
    prefix: String,
    token_prefix: String,
    next_token: u64,
    pending: Option<Pending>,
}

#[derive(Debug)]
struct Pending {
    token: String,
    sent: Instant,
}

/// What a message of the jobs service means to this device.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Incoming {
    /// Another execution is the next one, or there is none any more.
    Changed,
    /// The execution that is to be worked on: one that is in progress already, or else the oldest that waits.
    Started(Option<Box<Execution>>),
    /// Our update was accepted.
    Updated {
        /// The execution's new version, where the service tells.
        version: Option<u64>,
    },
    /// Our request was rejected.
    Rejected {
        /// What is wrong, as one of the service's codes, for example `VersionMismatch`.
        code: String,
        /// The service's words.
        message: String,
        /// What state the execution is in, and its version, where the service tells.
        state: Option<(Status, u64)>,
    },
    /// The message is none of the service's documents.
    Damaged {
        /// What is wrong.
        problem: String,
    },
}

impl Jobs {
    /// The jobs of `thing`. `token_prefix` tells this process's requests from those of others.
    pub fn new(thing: &str, token_prefix: &str) -> Self {
        Self {
            prefix: format!("$aws/things/{thing}/jobs"),
            token_prefix: token_prefix.to_owned(),
            next_token: 0,
            pending: None,
        }
    }

    /// What must be subscribed to.
    pub fn filters(&self) -> Vec<String> {
        let ends = [
            "notify-next",
            "start-next/accepted",
            "start-next/rejected",
            "+/update/accepted",
            "+/update/rejected",
        ];
        ends.iter().map(|end| format!("{}/{end}", self.prefix)).collect()
    }

    /// Answers to what was asked on an earlier connection no longer come.
    pub fn connected(&mut self) {
        self.pending = None;
    }

    /// The message that asks for something to do.
    pub fn start_next(&mut self, now: Instant) -> (String, Vec<u8>) {
        let client_token = self.token(now);
        (format!("{}/start-next", self.prefix), json(&StartNext { client_token: &client_token }))
    }

    /// The message that tells how the execution of `job` stands, which was in `version` before. After `limit` without
    /// another update the service takes it for timed out.
    pub fn update(
        &mut self,
        job: &str,
        version: u64,
        status: Status,
        details: &Details,
        limit: Option<Duration>,
        now: Instant,
    ) -> (String, Vec<u8>) {
        let client_token = self.token(now);
        // AWS takes 1 minute to 7 days.
        let minutes = limit.map(|limit| limit.as_secs().div_ceil(60).clamp(1, 10_080));
        let update = Update {
            status,
            status_details: details,
            expected_version: version,
            step_timeout_in_minutes: minutes,
            include_job_execution_state: true,
            client_token: &client_token,
        };
        (format!("{}/{job}/update", self.prefix), json(&update))
    }

    /// The last request was not published after all.
    pub fn withdraw(&mut self) {
        self.pending = None;
    }

    /// Whether an answer is still to come.
    pub fn is_waiting(&self) -> bool {
        self.pending.is_some()
    }

    /// Whether the answer has not come for too long. It is told once.
    pub fn is_expired(&mut self, now: Instant) -> bool {
        let expired = |pending: &mut Pending| now.saturating_duration_since(pending.sent) >= ANSWER_LIMIT;
        self.pending.take_if(expired).is_some()
    }

    /// What a received message means; `None`: nothing to this device.
    pub fn incoming(&mut self, topic: &str, payload: &[u8]) -> Option<Incoming> {
        let kind = topic.strip_prefix(&self.prefix)?.strip_prefix('/')?;
        let meaning = if kind == "notify-next" {
            parse::<Next>(payload).map(|Next {}| Some(Incoming::Changed))
        } else if kind == "start-next/accepted" {
            parse::<Started>(payload).map(|started| {
                self.is_ours(&started).then(|| Incoming::Started(started.execution.map(Box::new)))
            })
        } else if kind.ends_with("/update/accepted") {
            parse::<Updated>(payload).map(|updated| {
                let version = updated.execution_state.as_ref().map(|state| state.version_number);
                self.is_ours(&updated).then_some(Incoming::Updated { version })
            })
        } else if kind.ends_with("/rejected") {
            parse::<Rejected>(payload).map(|rejected| {
                self.is_ours(&rejected).then(|| Incoming::Rejected {
                    code: rejected.code,
                    message: rejected.message,
                    state: rejected.execution_state.map(|state| (state.status, state.version_number)),
                })
            })
        } else {
            return None;
        };
        meaning.unwrap_or_else(|error| Some(Incoming::Damaged { problem: format!("{kind}: {error}") }))
    }

    fn is_ours(&mut self, answer: &impl Answer) -> bool {
        self.pending.take_if(|pending| Some(pending.token.as_str()) == answer.client_token()).is_some()
    }

    fn token(&mut self, now: Instant) -> String {
        let token = format!("{}-{}", self.token_prefix, self.next_token);
        self.next_token += 1;
        self.pending = Some(Pending { token: token.clone(), sent: now });
        token
    }
}

fn parse<'a, T: serde::Deserialize<'a>>(payload: &'a [u8]) -> serde_json::Result<T> {
    serde_json::from_slice(payload)
}

fn json(request: &impl Serialize) -> Vec<u8> {
    // Maps with string keys always have a JSON form.
    serde_json::to_vec(request).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn token(payload: &[u8]) -> String {
        serde_json::from_slice::<Value>(payload).unwrap()["clientToken"].as_str().unwrap().to_owned()
    }

    #[test]
    fn an_execution_is_asked_for_and_told_of() {
        let mut jobs = Jobs::new("x", "me");
        let (topic, payload) = jobs.start_next(Instant::now());
        assert_eq!(topic, "$aws/things/x/jobs/start-next");
        let answer = json!({"clientToken": token(&payload), "timestamp": 1, "execution": {"jobId": "j", "thingName": "x",
            "status": "IN_PROGRESS", "queuedAt": 1, "versionNumber": 2, "executionNumber": 1, "jobDocument": {"operation": "reboot"}}});
        let incoming = jobs.incoming(&format!("{topic}/accepted"), answer.to_string().as_bytes());
        let Some(Incoming::Started(Some(execution))) = incoming else { panic!("{incoming:?}") };
        assert_eq!((execution.job_id.as_str(), execution.version_number), ("j", 2));
        let details = Details::from_iter([("exit_code".to_owned(), "0".to_owned())]);
        let (topic, payload) =
            jobs.update("j", 2, Status::Succeeded, &details, Some(Duration::from_secs(61)), Instant::now());
        assert_eq!(topic, "$aws/things/x/jobs/j/update");
        let update: Value = serde_json::from_slice(&payload).unwrap();
        assert_eq!(update["status"], "SUCCEEDED");
        assert_eq!((&update["expectedVersion"], &update["stepTimeoutInMinutes"]), (&json!(2), &json!(2)));
        let state = json!({"status": "SUCCEEDED", "versionNumber": 3});
        let answer = json!({"clientToken": token(&payload), "executionState": state}).to_string();
        let updated = Some(Incoming::Updated { version: Some(3) });
        assert_eq!(jobs.incoming(&format!("{topic}/accepted"), answer.as_bytes()), updated);
        assert_eq!(jobs.incoming(&format!("{topic}/accepted"), answer.as_bytes()), None, "once");
    }

    #[test]
    fn nothing_to_do_is_an_empty_answer_and_a_rejection_tells_the_state() {
        let mut jobs = Jobs::new("x", "me");
        let (topic, payload) = jobs.start_next(Instant::now());
        let empty = json!({"clientToken": token(&payload), "timestamp": 1}).to_string();
        assert_eq!(
            jobs.incoming(&format!("{topic}/accepted"), empty.as_bytes()),
            Some(Incoming::Started(None))
        );
        let (topic, payload) = jobs.update("j", 1, Status::Failed, &Details::new(), None, Instant::now());
        let rejected = json!({"clientToken": token(&payload), "code": "VersionMismatch", "message": "no",
            "executionState": {"status": "CANCELED", "versionNumber": 7}});
        let incoming = jobs.incoming(&format!("{topic}/rejected"), rejected.to_string().as_bytes());
        let state = Some((Status::Other, 7));
        let (code, message) = ("VersionMismatch".to_owned(), "no".to_owned());
        assert_eq!(incoming, Some(Incoming::Rejected { code, message, state }));
    }

    #[test]
    fn silence_expires_once_and_other_messages_are_none_of_ours() {
        let mut jobs = Jobs::new("x", "me");
        let now = Instant::now();
        jobs.start_next(now);
        assert!(!jobs.is_expired(now + ANSWER_LIMIT / 2));
        assert!(jobs.is_expired(now + ANSWER_LIMIT) && !jobs.is_expired(now + ANSWER_LIMIT));
        assert_eq!(jobs.incoming("$aws/things/x/jobs/get/accepted", b"{}"), None);
        assert!(matches!(
            jobs.incoming("$aws/things/x/jobs/notify-next", b"["),
            Some(Incoming::Damaged { .. })
        ));
    }
}
