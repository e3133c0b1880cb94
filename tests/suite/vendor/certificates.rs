//! The certificates that the vendor's library and we rebuild from one chip, byte for byte.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use atecc::{
    PublicKey, SerialNumber, Signature, Slot,
    certificate::{
        Authority, Compressed, Device, Format, IssueDate, Signer, StoredIdentity, Template, key_identifier,
        rebuild, to_be_signed,
    },
};
use atecc_emulator::provision;
use atecc_token::Token;
use serde::Deserialize;

use super::{
    library::{ask, hex},
    openssl,
    replica::Replica,
};
use crate::support::{Chip, I2C_DEV, give_i2c_dev, program, run, unhex};

/// One chip per template that is always tested.
const TEMPLATE_2: &str = include_str!("../../vectors/tngtls_template_2.json");
const TEMPLATE_3: &str = include_str!("../../vectors/tngtls_template_3.json");

/// What is public about a chip that Microchip sold.
#[derive(Deserialize)]
struct SoldChip {
    serial: String,
    slot5_ascii: Option<String>,
    slot10: String,
    slot11: String,
    slot12: String,
    #[serde(alias = "devkey")]
    public_key: Option<String>,
    pubkeys: Option<BTreeMap<String, String>>,
    device_cert_der_hex: String,
    signer_cert_der_hex: String,
}

impl SoldChip {
    fn public_key(&self) -> PublicKey {
        let key = self.public_key.as_ref().or_else(|| self.pubkeys.as_ref()?.get("0")).unwrap();
        PublicKey::from_bytes(unhex(key).try_into().unwrap())
    }

    fn replica(&self) -> Replica {
        let identity = StoredIdentity {
            serial_number: SerialNumber::from_bytes(unhex(&self.serial).try_into().unwrap()),
            public_key: self.public_key(),
            device: unhex(&self.slot10).try_into().unwrap(),
            signer_public_key: unhex(&self.slot11).try_into().unwrap(),
            signer: unhex(&self.slot12).try_into().unwrap(),
            eui48: self.slot5_ascii.as_ref().map(|digits| digits.as_bytes().try_into().unwrap()),
        };
        let template = if identity.eui48.is_some() { Template::TngTls3 } else { Template::TngTls2 };
        Replica::new(provision::replica(&identity, template).unwrap(), identity.public_key)
    }

    /// Both rebuild the certificates that Microchip issued.
    fn check(&self) {
        let replica = self.replica();
        let [serial, key, device, signer] =
            ask(&replica.socket, ["serial", "pubkey 0", "device_certificate", "signer_certificate"]);
        assert_eq!(serial.bytes(), unhex(&self.serial));
        assert_eq!(&key.array(), self.public_key().as_bytes());
        let sold = [&self.device_cert_der_hex, &self.signer_cert_der_hex].map(|digits| unhex(digits));
        let theirs = [device, signer].map(|answer| answer.bytes());
        let ours = ["device", "signer"].map(|part| our_certificate(&replica, part));
        for (name, (sold, (theirs, ours))) in
            ["device", "signer"].iter().zip(sold.iter().zip(theirs.iter().zip(&ours)))
        {
            assert_eq!(theirs, sold, "the vendor's {name} certificate of {}", self.serial);
            assert_eq!(ours, sold, "our {name} certificate of {}", self.serial);
        }
    }
}

/// The replica of a chip that was sold with template 3.
pub(super) fn replica_with_template_3() -> Replica {
    serde_json::from_str::<SoldChip>(TEMPLATE_3).unwrap().replica()
}

/// `atecc cert PART` on /dev/i2c-1, in DER.
fn our_certificate(replica: &Replica, part: &str) -> Vec<u8> {
    let pem: PathBuf = replica.path(&format!("{part}.pem"));
    let mut atecc = Command::new(program("atecc"));
    atecc.args(["--device", I2C_DEV, "cert", part, "--out"]).arg(&pem);
    run(give_i2c_dev(&mut atecc, &replica.socket)).succeeded();
    openssl::filter(&["x509", "-outform", "DER"], &fs::read(pem).unwrap())
}

#[test]
fn a_replica_of_a_sold_chip_with_template_2() {
    serde_json::from_str::<SoldChip>(TEMPLATE_2).unwrap().check();
}

#[test]
fn a_replica_of_a_sold_chip_with_template_3() {
    serde_json::from_str::<SoldChip>(TEMPLATE_3).unwrap().check();
}

#[cfg_attr(
    not(real_data),
    ignore = "the data of more real chips is not here; ATECC_TEST_DATA names its folder"
)]
#[test]
fn replicas_of_all_sold_chips_at_hand() {
    #[derive(Deserialize)]
    struct Devices {
        devices: Vec<SoldChip>,
    }
    let folder = Path::new(option_env!("ATECC_TEST_DATA").unwrap_or_default()).join("chips");
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    let six: Devices = serde_json::from_str(&read("template3_tngtls_6_devices.json")).unwrap();
    assert_eq!(six.devices.len(), 6);
    six.devices.iter().for_each(SoldChip::check);
    serde_json::from_str::<SoldChip>(&read("template2_0123f1822c38dd7a01.json")).unwrap().check();
}

/// A chip with the vendor's names in its certificates, under a root that was made for one test and goes with it.
struct Imitation {
    chip: Chip,
    root_public_key: PublicKey,
    /// As our driver rebuilds them.
    device: Vec<u8>,
    signer: Vec<u8>,
}

impl Imitation {
    /// The keys of the root and of the signer are those of slots 0 and 2 of another emulated chip.
    fn new() -> Self {
        let issuer = Chip::new();
        let issuer = Token::open(&format!("{}?clock=virtual", issuer.device()).parse().unwrap()).unwrap();
        let (root, intermediate) = (Slot::PRIMARY_KEY, Slot::new(2).unwrap());
        let authority: &'static Authority = Box::leak(Box::new(Authority {
            organization: "Microchip Technology Inc",
            root_common_name: "Crypto Authentication Root CA 002",
            signer_common_name: "Crypto Authentication Signer ",
            root_certificate: &[],
            root_public_key: issuer.public_key(root).unwrap(),
        }));

        let mut eeprom = provision::tng_tls().unwrap();
        let chip_key = Chip::holding(&eeprom);
        let chip_key = Token::open(&format!("{}?clock=virtual", chip_key.device()).parse().unwrap()).unwrap();
        let slot = |number| Slot::new(number).unwrap();
        let eui48 = eeprom.slot(slot(5))[..12].try_into().unwrap();
        let signer = Signer { public_key: issuer.public_key(intermediate).unwrap(), id: 0x7e57 };
        let device = Device {
            serial_number: chip_key.serial_number(),
            public_key: chip_key.public_key(Slot::PRIMARY_KEY).unwrap(),
            eui48: Some(eui48),
        };
        let issue = |key, expire_years, template_id, rebuild: &dyn Fn(&Compressed) -> Vec<u8>| {
            let mut compressed = Compressed {
                signature: Signature::from_bytes([0xff; 64]),
                format: Format::Plain,
                dates: IssueDate { year: 2026, month: 2, day: 28, hour: 23, expire_years },
                signer_id: signer.id,
                template_id,
                chain_id: 0,
            };
            let unsigned = rebuild(&compressed);
            let digest = openssl::sha256(to_be_signed(&unsigned).unwrap());
            compressed.signature = issuer.sign(key, &digest).unwrap();
            compressed.to_bytes()
        };
        let stored_device = issue(intermediate, 28, 3, &|compressed| {
            Template::TngTls3.device(authority, &signer, &device, compressed).unwrap().to_vec()
        });
        let stored_signer =
            issue(root, 31, 1, &|compressed| signer.certificate(authority, compressed).unwrap().to_vec());
        let mut padded = [0; 72];
        padded[4..36].copy_from_slice(&signer.public_key.as_bytes()[..32]);
        padded[40..].copy_from_slice(&signer.public_key.as_bytes()[32..]);
        for (number, content) in [(10, stored_device), (11, padded), (12, stored_signer)] {
            eeprom.slot_mut(slot(number)).copy_from_slice(&content);
        }

        let stored = StoredIdentity {
            serial_number: device.serial_number,
            public_key: device.public_key,
            device: stored_device,
            signer_public_key: padded,
            signer: stored_signer,
            eui48: Some(eui48),
        };
        let chain = rebuild(&stored, b"KQp2ZkD8", &[authority]).unwrap();
        Self {
            chip: Chip::holding(&eeprom),
            root_public_key: authority.root_public_key,
            device: chain.device.to_vec(),
            signer: chain.signer.to_vec(),
        }
    }
}

#[test]
fn a_chip_with_the_vendors_names_under_a_root_for_the_test_only() {
    let imitation = Imitation::new();
    let bus = imitation.chip.serve();
    let under = format!("signer_certificate_under {}", hex(imitation.root_public_key.as_bytes()));
    let [device, signer] = ask(&bus.socket, ["device_certificate", &under]);
    assert_eq!(device.bytes(), imitation.device);
    assert_eq!(signer.bytes(), imitation.signer);
}

/// The vendor's own way to the signer certificate writes the identifier of Root CA 002 into it, whoever issued
/// it. It is all that differs, and it shows that such a chip cannot pass for one of the vendor's.
#[test]
fn the_vendors_library_puts_its_root_above_every_signer() {
    let imitation = Imitation::new();
    let bus = imitation.chip.serve();
    let [signer] = ask(&bus.socket, ["signer_certificate"]);
    let ours = &imitation.signer;
    let test_root = key_identifier(&imitation.root_public_key);
    let at = ours.windows(20).position(|window| window == test_root).unwrap();
    let mut expected = ours.clone();
    expected[at..at + 20].copy_from_slice(&key_identifier(&atecc::certificate::MICROCHIP.root_public_key));
    assert_eq!(signer.bytes(), expected);
}

/// The emulator's own CA has other names than the vendor's, so a chip of `atecc emulator new` gives the vendor's
/// library certificates that nobody signed.
#[test]
fn a_chip_of_the_emulators_own_ca_is_no_vendors_chip() {
    let chip = Chip::new();
    let bus = chip.serve();
    let [device, key] = ask(&bus.socket, ["device_certificate", "read_pubkey 11"]);
    let der = device.bytes();
    let signed = openssl::sha256(to_be_signed(&der).unwrap());
    let [stored] = ask(&bus.socket, ["read 10 0 72"]);
    let signature = Signature::from_bytes(stored.bytes()[..64].try_into().unwrap());
    assert!(!PublicKey::from_bytes(key.array()).verify(&signed, &signature));
    let serial = SerialNumber::from_bytes(ask(&bus.socket, ["serial"])[0].array());
    assert_eq!(format!("sn{serial}"), chip.common_name());
}
