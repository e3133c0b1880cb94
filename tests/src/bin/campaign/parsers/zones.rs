//! Configuration zones, and everything that they can be asked.

use atecc::{
    Configuration, Slot,
    zone::{CONFIGURATION_ZONE, CounterId},
};
use atecc_emulator::provision::Personality;

use super::{super::Random, Parser, mutate::mutant};

pub(super) fn configuration() -> Result<Box<dyn Parser>, String> {
    struct Zones(Vec<Vec<u8>>);

    impl Parser for Zones {
        fn input(&mut self, random: &mut Random) -> Vec<u8> {
            let mut zone = mutant(random, &self.0, CONFIGURATION_ZONE);
            zone.resize(CONFIGURATION_ZONE, random.next() as u8);
            zone
        }

        fn give(&mut self, input: &[u8]) -> Result<bool, String> {
            let zone = Configuration::from_bytes(input.try_into().map_err(|_| "no zone")?);
            explain(&zone);
            if zone.as_bytes() == input { Ok(true) } else { Err("became another zone".into()) }
        }
    }

    let seeds = Personality::ALL.map(|personality| {
        personality.make().map(|eeprom| eeprom.configuration().as_bytes().to_vec()).map_err(|e| e.to_string())
    });
    Ok(Box::new(Zones(seeds.into_iter().collect::<Result<_, _>>()?)))
}

fn explain(zone: &Configuration) {
    let _ = (zone.serial_number().to_hex(), zone.revision(), zone.revision().part(), zone.i2c_address());
    let _ = (zone.effective_i2c_address(), zone.clock_divider(), zone.count_match(), zone.use_lock());
    let _ = (zone.volatile_key_permission(), zone.user_extra(), zone.user_extra_add(), zone.x509_format());
    let _ = (zone.chip_mode().long_watchdog(), zone.chip_options().io_protection_key(), zone.summary());
    let boot = zone.secure_boot();
    let _ = (boot.mode(), boot.digest(), boot.public_key(), zone.kdf_iv());
    for counter in [CounterId::Counter0, CounterId::Counter1] {
        let _ = zone.counter(counter).value();
    }
    for slot in (0..16).filter_map(Slot::new) {
        let (rules, properties) = (zone.slot_rules(slot), zone.key_properties(slot));
        let _ = (rules.reads(), rules.write_config().writes());
        let _ = (rules.private_key_use().signs_external(), properties.key_type(), properties.auth_key());
        let _ = format!("{}", zone.slot_summary(slot));
    }
}
