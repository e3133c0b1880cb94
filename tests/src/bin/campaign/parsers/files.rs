//! What users have on disk or type: the EEPROM of an emulated chip, and the string that names a device.

use std::{fs, path::PathBuf, time::Duration};

use atecc::packet::{Packet, Response};
use atecc_emulator::{EepromFile, provision::Personality};
use atecc_token::DeviceSpec;
use embedded_hal::i2c::I2c;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use super::{
    super::Random,
    Parser,
    mutate::mutant,
    packets::{bus, wake},
};

/// Bytes of the digest at the end of an EEPROM file.
const DIGEST: usize = 32;

/// A file that is taken becomes a chip, which is asked some questions.
pub(super) fn eeprom() -> Result<Box<dyn Parser>, String> {
    struct Files {
        seeds: Vec<Vec<u8>>,
        path: PathBuf,
        _folder: TempDir,
    }

    impl Parser for Files {
        fn input(&mut self, random: &mut Random) -> Vec<u8> {
            let mut file = mutant(random, &self.seeds, 4_096);
            if random.below(4) != 0 && file.len() > DIGEST {
                let body = file.len() - DIGEST;
                let digest = Sha256::digest(&file[..body]);
                file[body..].copy_from_slice(&digest);
            }
            file
        }

        fn give(&mut self, input: &[u8]) -> Result<bool, String> {
            fs::write(&self.path, input).map_err(|error| error.to_string())?;
            let Ok(file) = EepromFile::open(&self.path, Duration::ZERO) else { return Ok(false) };
            let (mut bus, address) = bus(file.eeprom());
            let mut clock = bus.clock();
            for (opcode, mode, param2, data) in [
                (0x02, 0x80, 0x0000, &[][..]),
                (0x16, 0x00, 0x0000, &[0x21; 20][..]),
                (0x15, 0x02, 0x0004, &[]),
                (0x40, 0x00, 0x0000, &[]),
                (0x24, 0x01, 0x0000, &[]),
                (0x41, 0x80, 0x0000, &[]),
            ] {
                wake(&mut bus, &mut clock, address);
                let packet = Packet::new(opcode, mode, param2, &[data], 64);
                // A chip at address 0 does not answer.
                let _ = bus.write(address, &[&[0x03], packet.as_bytes()].concat());
                let mut answer = [0; 80];
                if bus.read(address, &mut answer).is_ok() && Response::parse(&answer).is_err() {
                    return Err(format!("{packet:?} is answered with {answer:02x?}"));
                }
            }
            Ok(true)
        }
    }

    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let mut seeds = Vec::new();
    for personality in Personality::ALL {
        let path = folder.path().join(format!("{personality:?}"));
        let eeprom = personality.make().map_err(|error| error.to_string())?;
        EepromFile::create(&path, &eeprom).map_err(|error| error.to_string())?;
        seeds.push(fs::read(&path).map_err(|error| error.to_string())?);
    }
    Ok(Box::new(Files { seeds, path: folder.path().join("chip.eeprom"), _folder: folder }))
}

pub(super) fn device_specs() -> Result<Box<dyn Parser>, String> {
    struct Specs(Vec<Vec<u8>>);

    impl Parser for Specs {
        fn input(&mut self, random: &mut Random) -> Vec<u8> {
            mutant(random, &self.0, 200)
        }

        fn give(&mut self, input: &[u8]) -> Result<bool, String> {
            match String::from_utf8_lossy(input).parse::<DeviceSpec>() {
                Ok(spec) if spec.to_string().parse() == Ok(spec.clone()) => Ok(true),
                Ok(spec) => Err(format!("{spec} is not what it was")),
                Err(error) if error.to_string().is_empty() => Err("an error without words".into()),
                Err(_) => Ok(false),
            }
        }
    }

    let specs = [
        "emulator:chip.eeprom",
        "emulator:/var/lib/chip.eeprom?clock=virtual",
        "emulator:unix:bus.sock",
        "emulator:unix:/run/bus.sock?address=0x36",
        "i2c:/dev/i2c-1",
        "i2c:/dev/i2c-1?address=0x60",
        "rppal:1?address=0x35&address=96",
    ];
    Ok(Box::new(Specs(specs.map(|spec| spec.as_bytes().to_vec()).into())))
}
