//! Jobs, made and watched through the control API.

use serde_json::{Value, json};

use super::{Device, wait};

const JOBS: &str = "[jobs]\nallow = ['restart-agent', 'log-level']\ncommands = [
    { name = 'hello', argv = ['/bin/sh', '-c', 'echo hello from $ATECC_JOB_ID'] },
    { name = 'fail', argv = ['/bin/sh', '-c', 'echo broken >&2; exit 7'] },
    { name = 'slow', argv = ['/bin/sleep', '600'], limit_seconds = 2 },
    { name = 'endless', argv = ['/bin/sleep', '601'] },
    { name = 'once-more', argv = ['/bin/sh', '-c', 'test -e MARK || { touch MARK; sleep 602; }'], repeatable = true },
]\n";

impl Device {
    fn create_job(&self, job: &str, document: &Value) {
        let arn = self.ministack.call("GET", &format!("/things/{}", self.thing()), None)["thingArn"].clone();
        let body = json!({ "targets": [arn], "document": document.to_string() });
        self.ministack.call("PUT", &format!("/jobs/{job}"), Some(&body));
    }

    /// The execution of the job, once it has this status.
    #[track_caller]
    fn execution(&self, job: &str, status: &str) -> Value {
        let path = format!("/things/{}/jobs/{job}", self.thing());
        wait(&format!("{job} {status}"), || {
            let execution = self.ministack.call("GET", &path, None)["execution"].clone();
            if execution["status"] == status { Ok(execution) } else { Err(execution.to_string()) }
        })
    }

    /// What the device says of how the job ended.
    #[track_caller]
    fn ended(&self, job: &str, status: &str) -> Value {
        self.execution(job, status)["statusDetails"]["detailsMap"].clone()
    }
}

#[test]
fn only_what_the_configuration_allows_is_done_and_how_it_ended_is_told() {
    let device = Device::new();
    // One waits before the agent begins; the others come while it runs.
    device.create_job("j-hello", &json!({ "operation": "run", "command": "hello" }));
    let mut agent = device.agent(JOBS);
    assert_eq!(device.ended("j-hello", "SUCCEEDED")["output"], "hello from j-hello");
    device.create_job("j-fail", &json!({ "operation": "run", "command": "fail" }));
    let details = device.ended("j-fail", "FAILED");
    assert_eq!((&details["reason"], &details["output"]), (&json!("exit status: 7"), &json!("broken")));
    device.create_job("j-slow", &json!({ "operation": "run", "command": "slow" }));
    assert_eq!(device.ended("j-slow", "FAILED")["reason"], "killed after 2 s, the limit for it");
    for (job, document) in [
        ("j-reboot", json!({ "operation": "reboot" })),
        ("j-unknown", json!({ "operation": "run", "command": "/bin/sh" })),
        ("j-own", json!({ "operation": "run", "command": "hello", "argv": ["/bin/sh", "-c", "id"] })),
    ] {
        device.create_job(job, &document);
        let reason = device.ended(job, "REJECTED")["reason"].clone();
        assert!(reason.as_str().is_some_and(|reason| !reason.is_empty()), "{job}: {reason}");
    }
    device.create_job("j-level", &json!({ "operation": "log-level", "level": "warn" }));
    device.ended("j-level", "SUCCEEDED");
    device.create_job("j-bad-level", &json!({ "operation": "log-level", "level": "a=b=c" }));
    assert!(device.ended("j-bad-level", "FAILED")["reason"].to_string().contains("log filter"));
    let said = agent.kill();
    assert!(
        said.contains("j-own") && !said.contains("j-bad-level"),
        "it still tells what is no warning: {said}"
    );
}

#[test]
fn an_agent_that_was_started_again_knows_what_it_was_doing() {
    let device = Device::new();
    let mark = device.chip.path("mark");
    let jobs = JOBS.replace("MARK", &mark.display().to_string());
    let mut agent = device.agent(&jobs);
    device.create_job("j-restart", &json!({ "operation": "restart-agent" }));
    device.ended("j-restart", "SUCCEEDED");

    // Killed without a word: what may have been done is not done again, unless the configuration says so.
    device.create_job("j-endless", &json!({ "operation": "run", "command": "endless" }));
    let begun = |job: &str| {
        device.execution(job, "IN_PROGRESS")["statusDetails"]["detailsMap"]["process"].is_string()
    };
    wait("the announcement", || if begun("j-endless") { Ok(()) } else { Err("not yet".to_owned()) });
    let said = agent.kill();
    assert!(said.contains("starting again"), "{said}");
    let mut agent = device.agent(&jobs);
    let reason = device.ended("j-endless", "FAILED")["reason"].clone();
    assert!(reason.as_str().unwrap().starts_with("the agent ended while the command ran"), "{reason}");

    device.create_job("j-again", &json!({ "operation": "run", "command": "once-more" }));
    wait("the first run", || if mark.exists() { Ok(()) } else { Err("no mark".to_owned()) });
    agent.kill();
    let agent = device.agent(&jobs);
    device.ended("j-again", "SUCCEEDED");

    // Told to end, it says that it killed what ran.
    device.create_job("j-stop", &json!({ "operation": "run", "command": "endless" }));
    wait("the announcement", || if begun("j-stop") { Ok(()) } else { Err("not yet".to_owned()) });
    agent.interrupt();
    let reason = device.ended("j-stop", "FAILED")["reason"].clone();
    assert!(reason.as_str().unwrap().starts_with("the agent was told to end"), "{reason}");
}
