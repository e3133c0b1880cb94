//! Certificates of chips that Microchip sold.

use atecc::{
    PublicKey, SerialNumber,
    certificate::{Chain, MICROCHIP, StoredIdentity, Template, rebuild},
};

use super::support::unhex;

/// What a chip stores, in hexadecimal digits.
struct Stored<'a> {
    serial: &'a str,
    slot5: Option<&'a str>,
    slot10: &'a str,
    slot11: &'a str,
    slot12: &'a str,
    public_key: &'a str,
}

impl Stored<'_> {
    fn rebuild(&self, hint: &[u8; 8]) -> Chain {
        let identity = StoredIdentity {
            serial_number: SerialNumber::from_bytes(unhex(self.serial).try_into().unwrap()),
            public_key: PublicKey::from_bytes(unhex(self.public_key).try_into().unwrap()),
            device: unhex(self.slot10).try_into().unwrap(),
            signer_public_key: unhex(self.slot11).try_into().unwrap(),
            signer: unhex(self.slot12).try_into().unwrap(),
            eui48: self.slot5.map(|digits| digits.as_bytes().try_into().unwrap()),
        };
        rebuild(&identity, hint, &[&MICROCHIP]).unwrap()
    }
}

/// The two chips below, one per template, are always tested.
const TEMPLATE_2: &str = include_str!("../vectors/tngtls_template_2.json");
const TEMPLATE_3: &str = include_str!("../vectors/tngtls_template_3.json");

#[derive(serde::Deserialize)]
struct Vector {
    serial: String,
    slot5_ascii: Option<String>,
    slot10: String,
    slot11: String,
    slot12: String,
    #[serde(alias = "devkey")]
    public_key: Option<String>,
    pubkeys: Option<std::collections::BTreeMap<String, String>>,
    device_cert_der_hex: String,
    signer_cert_der_hex: String,
}

impl Vector {
    fn check(&self, template: Template) {
        let public_key = self.public_key.as_ref().or_else(|| self.pubkeys.as_ref()?.get("0")).unwrap();
        let stored = Stored {
            serial: &self.serial,
            slot5: self.slot5_ascii.as_deref(),
            slot10: &self.slot10,
            slot11: &self.slot11,
            slot12: &self.slot12,
            public_key,
        };
        // The code of the right product, of another one, and none at all.
        for hint in [b"Rsuy5YJh", b"KQp2ZkD8", b"\0\0\0\0\0\0\0\0"] {
            let chain = stored.rebuild(hint);
            assert_eq!(chain.template, template);
            assert_eq!(chain.device[..], unhex(&self.device_cert_der_hex));
            assert_eq!(chain.signer[..], unhex(&self.signer_cert_der_hex));
        }
    }
}

#[test]
fn the_certificate_of_a_real_chip_with_template_2() {
    serde_json::from_str::<Vector>(TEMPLATE_2).unwrap().check(Template::TngTls2);
}

#[test]
fn the_certificate_of_a_real_chip_with_template_3() {
    serde_json::from_str::<Vector>(TEMPLATE_3).unwrap().check(Template::TngTls3);
}

/// The certificates come out byte for byte, and openssl verifies them up to the pinned root.
#[cfg_attr(
    not(real_data),
    ignore = "the data of more real chips is not here; ATECC_TEST_DATA names its folder"
)]
#[test]
fn the_certificates_of_all_real_chips_at_hand() {
    let folder = std::path::Path::new(option_env!("ATECC_TEST_DATA").unwrap_or_default()).join("chips");
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    #[derive(serde::Deserialize)]
    struct Devices {
        devices: Vec<Vector>,
    }
    let six: Devices = serde_json::from_str(&read("template3_tngtls_6_devices.json")).unwrap();
    assert_eq!(six.devices.len(), 6);
    six.devices.iter().for_each(|device| device.check(Template::TngTls3));
    let one: Vector = serde_json::from_str(&read("template2_0123f1822c38dd7a01.json")).unwrap();
    one.check(Template::TngTls2);
    for vector in six.devices.iter().chain([&one]) {
        openssl_verifies(vector);
    }
}

fn openssl_verifies(vector: &Vector) {
    use std::process::Command;

    use super::support::run;
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, der: &[u8]| {
        let (from, to) =
            (folder.path().join(format!("{name}.der")), folder.path().join(format!("{name}.pem")));
        std::fs::write(&from, der).unwrap();
        run(Command::new("openssl").args(["x509", "-inform", "DER", "-in"]).arg(&from).arg("-out").arg(&to))
            .succeeded();
        to
    };
    let root = file("root", MICROCHIP.root_certificate);
    let signer = file("signer", &unhex(&vector.signer_cert_der_hex));
    let device = file("device", &unhex(&vector.device_cert_der_hex));
    run(Command::new("openssl")
        .args(["verify", "-CAfile"])
        .arg(root)
        .arg("-untrusted")
        .arg(signer)
        .arg(device))
    .succeeded();
}
