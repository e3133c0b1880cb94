//! Each part that comes with certificates from the factory can be a gateway.

use atecc_agent::supervisor::Agent;
use atecc_emulator::provision::Personality;
use iot_core_emulator::Listener;

use crate::LIMIT;
use crate::stage::{Running, Stage};

#[test]
fn every_part_with_certificates_connects_with_one_signature_of_its_key() {
    for part in [Personality::TngTls3, Personality::TngTls2, Personality::TflxTls, Personality::TngLora] {
        let name = part.part();
        let stage = Stage::with_chip(&part.make().unwrap()).unwrap();
        assert_eq!(stage.thing, format!("sn{}", stage.token.serial_number()), "{name}");
        stage.register().unwrap();
        let telemetry = stage.cloud.subscribe(&format!("{}/telemetry", stage.thing)).unwrap();
        let config = stage.config(Listener::Mqtt).unwrap();
        let mut agent = Running::start(Agent::new(config, &stage.identity).unwrap()).unwrap();
        telemetry.recv_timeout(LIMIT).unwrap_or_else(|_| panic!("{name} says nothing"));
        assert_eq!(stage.token.statistics().signatures, 1, "{name}");
        agent.stop().unwrap();
    }
}
