//! Chips, and what their maker signs.

use std::ops::Range;

use atecc::{
    PublicKey, SerialNumber, Signature,
    certificate::{Compressed, Der, Device, IssueDate, Signer, Template, key_identifier, to_be_signed},
};
use atecc_emulator::authority::{EMULATOR, ROOT_PRIVATE_KEY};
use base64ct::{Base64, Base64UrlUnpadded, Encoding};
use p256::{
    ProjectivePoint, Scalar,
    ecdsa::{SigningKey, signature::Signer as _},
    elliptic_curve::sec1::ToSec1Point,
};
use sha2::{Digest, Sha256};

use super::Result;

/// So many chips have one signer; a reel holds 3,000.
const CHIPS_PER_SIGNER: usize = 3000;
/// The number of the log signer, where signers have theirs.
const LOG_SIGNER: u16 = 0xed00;
const DATES: IssueDate = IssueDate { year: 2026, month: 1, day: 2, hour: 3, expire_years: 28 };

pub(super) struct Factory {
    log_key: SigningKey,
    log_signer: Der,
    protected: String,
}

impl Factory {
    pub(super) fn new() -> Result<Self> {
        let log_key = key(&LOG_SIGNER.to_be_bytes())?;
        let log_signer = authority(&log_key, LOG_SIGNER)?;
        let kid = Base64UrlUnpadded::encode_string(&key_identifier(&public_key(&log_key)?));
        let fingerprint = Base64UrlUnpadded::encode_string(&Sha256::digest(&log_signer));
        let header = format!(r#"{{"typ":"JWT","alg":"ES256","kid":"{kid}","x5t#S256":"{fingerprint}"}}"#);
        let protected = Base64UrlUnpadded::encode_string(header.as_bytes());
        Ok(Self { log_key, log_signer, protected })
    }

    /// The log signer's certificate, DER.
    pub(super) fn log_signer(&self) -> &[u8] {
        &self.log_signer
    }

    /// The entries with these numbers.
    pub(super) fn entries(&self, numbers: Range<usize>) -> Result<Vec<String>> {
        let mut signer = None;
        let entry = |number: usize| {
            let id = u16::try_from(number / CHIPS_PER_SIGNER)?;
            let signer = match &signer {
                Some(made @ Made { id: made_id, .. }) if *made_id == id => made,
                _ => signer.insert(Made::new(id)?),
            };
            self.entry(number, signer)
        };
        numbers.map(entry).collect()
    }

    fn entry(&self, number: usize, signer: &Made) -> Result<String> {
        let mut serial = [0x01, 0x23, 0, 0, 0, 0, 0, 0, 0x01];
        serial[4..8].copy_from_slice(&u32::try_from(number)?.to_be_bytes());
        let serial_number = SerialNumber::from_bytes(serial);
        // Five points in a row; their logarithms are of no use to anybody.
        let mut point = ProjectivePoint::GENERATOR * Scalar::from(1_000_000 + 5 * number as u64);
        let mut keys = Vec::new();
        for _ in 0..5 {
            keys.push(coordinates(point.to_affine().to_sec1_point(false).as_bytes())?);
            point += ProjectivePoint::GENERATOR;
        }
        let device = Device { serial_number, public_key: keys[0], eui48: Some(*b"0004A3000000") };
        let certificate = signer.issue(&device)?;
        let unique_id = serial_number.to_string().to_ascii_lowercase();
        let mut jwks = Vec::new();
        for (slot, key) in keys.iter().enumerate() {
            let (x, y) = key.as_bytes().split_at(32);
            let (x, y) = (Base64UrlUnpadded::encode_string(x), Base64UrlUnpadded::encode_string(y));
            let x5c = match slot {
                0 => {
                    format!(r#","x5c":["{}","{}"]"#, Base64::encode_string(&certificate), signer.certificate)
                }
                _ => String::new(),
            };
            jwks.push(format!(r#"{{"kid":"{slot}","kty":"EC","crv":"P-256","x":"{x}","y":"{y}"{x5c}}}"#));
        }
        let maker = r#"{"organizationName":"ATECC EMULATOR","organizationalUnitName":"EMULATOR"}"#;
        let payload = format!(
            r#"{{"version":1,"model":"ATECC608B","partNumber":"ATECC608B-TNGTLS","manufacturer":{maker},"provisioner":{maker},"distributor":{maker},"groupId":"EMULATED00000000","provisioningTimestamp":"2026-01-02T03:00:00.000Z","uniqueId":"{unique_id}","publicKeySet":{{"keys":[{}]}}}}"#,
            jwks.join(",")
        );
        let payload = Base64UrlUnpadded::encode_string(payload.as_bytes());
        let protected = &self.protected;
        let signature: p256::ecdsa::Signature =
            self.log_key.sign(format!("{protected}.{payload}").as_bytes());
        let signature = Base64UrlUnpadded::encode_string(&signature.to_bytes());
        Ok(format!(
            r#"{{"payload":"{payload}","protected":"{protected}","header":{{"uniqueId":"{unique_id}"}},"signature":"{signature}"}}"#
        ))
    }
}

/// A signer of chips.
struct Made {
    id: u16,
    key: SigningKey,
    signer: Signer,
    /// Base64.
    certificate: String,
}

impl Made {
    fn new(id: u16) -> Result<Self> {
        let key = key(&[b"signer", &id.to_be_bytes()[..]].concat())?;
        let signer = Signer { public_key: public_key(&key)?, id };
        let certificate = Base64::encode_string(&authority(&key, id)?);
        Ok(Self { id, key, signer, certificate })
    }

    fn issue(&self, device: &Device) -> Result<Der> {
        let template = Template::TngTls3;
        issue(&self.key, self.id, template.id(), |compressed| {
            template.device(&EMULATOR, &self.signer, device, compressed)
        })
    }
}

/// The certificate of a signer under the test CA.
fn authority(key: &SigningKey, id: u16) -> Result<Der> {
    let root = SigningKey::from_slice(&ROOT_PRIVATE_KEY)?;
    let signer = Signer { public_key: public_key(key)?, id };
    issue(&root, id, 1, |compressed| signer.certificate(&EMULATOR, compressed))
}

/// Signs what `certificate` makes of a compressed form.
fn issue(
    key: &SigningKey,
    signer_id: u16,
    template_id: u8,
    certificate: impl Fn(&Compressed) -> Option<Der>,
) -> Result<Der> {
    let unsigned = Signature::from_bytes([0xff; 64]);
    let mut compressed = Compressed {
        signature: unsigned,
        format: DATES.format(),
        dates: DATES,
        signer_id,
        template_id,
        chain_id: 0,
    };
    let der = certificate(&compressed).ok_or("no certificate")?;
    let signature: p256::ecdsa::Signature = key.sign(to_be_signed(&der).ok_or("no certificate")?);
    compressed.signature = Signature::from_bytes(signature.to_bytes().into());
    certificate(&compressed).ok_or_else(|| "no certificate".into())
}

/// A private key that everybody can compute.
fn key(seed: &[u8]) -> Result<SigningKey> {
    Ok(SigningKey::from_slice(&Sha256::digest([b"manifest-entries ", seed].concat()))?)
}

fn public_key(key: &SigningKey) -> Result<PublicKey> {
    coordinates(key.verifying_key().to_sec1_point(false).as_bytes())
}

fn coordinates(point: &[u8]) -> Result<PublicKey> {
    Ok(PublicKey::from_bytes(point.get(1..).ok_or("no point")?.try_into()?))
}

pub(super) fn pem(der: &[u8]) -> String {
    let text = Base64::encode_string(der);
    let lines: Vec<&str> = (0..text.len()).step_by(64).map(|at| &text[at..text.len().min(at + 64)]).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}
