//! Classic and named shadows.

use serde_json::{Value, json};

use super::{Device, wait};

const LINES: &str =
    "[[lines]]\nproperty = 'led'\n[[lines]]\nproperty = 'valve'\nshadow = 'water'\nsafe = false\n";

impl Device {
    fn desire(&self, query: &str, desired: &Value) {
        let path = format!("/things/{}/shadow{query}", self.thing());
        self.data("iotdata", "POST", &path, Some(&json!({ "state": { "desired": desired } })));
    }

    #[track_caller]
    pub(super) fn reports(&self, query: &str, reported: &Value) {
        let path = format!("/things/{}/shadow{query}", self.thing());
        wait("what is reported", || {
            let document = self.data("iotdata", "GET", &path, None);
            if document["state"]["reported"] == *reported { Ok(()) } else { Err(document.to_string()) }
        });
    }
}

#[test]
fn lines_follow_their_shadows_also_what_was_desired_while_the_agent_was_away() {
    let device = Device::new();
    let mut agent = device.agent(LINES);
    device.reports("", &json!({ "led": false }));
    device.reports("?name=water", &json!({ "valve": false }));
    for on in [true, false] {
        device.desire("", &json!({ "led": on }));
        device.reports("", &json!({ "led": on }));
    }
    let said = agent.kill();
    assert!(said.contains("line switched by the shadow"), "{said}");

    device.desire("?name=water", &json!({ "valve": true, "pump": true }));
    let agent = device.agent(LINES);
    device.reports("?name=water", &json!({ "valve": true }));
    let said = agent.interrupt().stderr;
    assert!(said.contains("\"pump\" is a property that this agent does not have"), "{said}");
    // Told to end, it makes safe what has a safe state, and says so before it goes.
    device.reports("?name=water", &json!({ "valve": false }));
}
