//! A gateway with a new chip, and a cloud in which it may provision itself.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use atecc_agent::config::Config;
use atecc_agent::provision::{self, Error, Record};
use atecc_agent::supervisor::Agent;
use atecc_emulator::{EepromFile, provision as factory};
use iot_core_emulator::{CertificateId, Event, IotCore, Options, Status};
use tempfile::TempDir;

pub(crate) const TEMPLATE: &str = r#"{
    "Parameters": {"AWS::IoT::Certificate::Id": {"Type": "String"}, "SerialNumber": {"Type": "String"}},
    "Resources": {
        "thing": {"Type": "AWS::IoT::Thing",
            "Properties": {"ThingName": {"Fn::Join": ["-", ["gateway", {"Ref": "SerialNumber"}]]}}},
        "certificate": {"Type": "AWS::IoT::Certificate",
            "Properties": {"CertificateId": {"Ref": "AWS::IoT::Certificate::Id"}, "Status": "Active"}},
        "policy": {"Type": "AWS::IoT::Policy", "Properties": {"PolicyName": "gateway"}}
    },
    "DeviceConfiguration": {"Site": "north"}
}"#;

/// A gateway may be its thing and nobody else.
const POLICY: &str = r#"{"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": "iot:Connect",
     "Resource": "arn:aws:iot:*:*:client/${iot:Connection.Thing.ThingName}"},
    {"Effect": "Allow", "Action": ["iot:Publish", "iot:Receive"], "Resource": [
        "arn:aws:iot:*:*:topic/${iot:Connection.Thing.ThingName}/*",
        "arn:aws:iot:*:*:topic/$aws/things/${iot:Connection.Thing.ThingName}/shadow/*"]},
    {"Effect": "Allow", "Action": "iot:Subscribe", "Resource": [
        "arn:aws:iot:*:*:topicfilter/${iot:Connection.Thing.ThingName}/*",
        "arn:aws:iot:*:*:topicfilter/$aws/things/${iot:Connection.Thing.ThingName}/shadow/*"]}
]}"#;

/// What a claim may do, as the guide has it ("Provisioning by claim"), with the topics of requests by CSR.
pub(crate) const CLAIM_POLICY: &str = r#"{"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": "iot:Connect", "Resource": "*"},
    {"Effect": "Allow", "Action": ["iot:Publish", "iot:Receive"], "Resource": [
        "arn:aws:iot:*:*:topic/$aws/certificates/*",
        "arn:aws:iot:*:*:topic/$aws/provisioning-templates/fleet/provision/*"]},
    {"Effect": "Allow", "Action": "iot:Subscribe", "Resource": [
        "arn:aws:iot:*:*:topicfilter/$aws/certificates/*",
        "arn:aws:iot:*:*:topicfilter/$aws/provisioning-templates/fleet/provision/*"]}
]}"#;

pub(crate) struct Site {
    pub(crate) cloud: IotCore,
    pub(crate) folder: TempDir,
    pub(crate) serial: String,
}

impl Site {
    /// With a claim that devices share: claim.key and claim.pem.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let eeprom = factory::tng_tls().unwrap();
        let serial = eeprom.configuration().serial_number().to_string();
        EepromFile::create(&folder.path().join("chip.eeprom"), &eeprom).unwrap();
        let cloud = IotCore::start(Options::default()).unwrap();
        fs::write(folder.path().join("ca.pem"), cloud.root_certificate_pem()).unwrap();
        let registry = cloud.registry();
        registry.create_policy("gateway", POLICY).unwrap();
        registry.create_policy("claim", CLAIM_POLICY).unwrap();
        registry.create_provisioning_template("fleet", TEMPLATE).unwrap();
        let site = Self { cloud, folder, serial };
        let (certificate, key) = site.registered("claim");
        fs::write(site.path("claim.pem"), certificate).unwrap();
        fs::write(site.path("claim.key"), key).unwrap();
        fs::set_permissions(site.path("claim.key"), fs::Permissions::from_mode(0o600)).unwrap();
        site
    }

    /// A certificate and its key in PEM, active, with this policy.
    pub(crate) fn registered(&self, policy: &str) -> (String, String) {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut parameters = rcgen::CertificateParams::default();
        parameters.distinguished_name.push(rcgen::DnType::CommonName, "claim");
        let certificate = parameters.self_signed(&key).unwrap();
        let id = self.cloud.registry().register_certificate(certificate.der(), Status::Active).unwrap();
        self.cloud.registry().attach_policy(policy, &id).unwrap();
        (certificate.pem(), key.serialize_pem())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The thing that the template makes of the chip.
    pub(crate) fn thing(&self) -> String {
        format!("gateway-{}", self.serial)
    }

    pub(crate) fn device(&self) -> String {
        format!("emulator:{}", self.path("chip.eeprom").display())
    }

    /// agent.toml with `lines` at its top level, and `tables` behind.
    pub(crate) fn config_file(&self, lines: &str, tables: &str) -> PathBuf {
        let (endpoint, address) = (self.cloud.endpoint(), self.cloud.mqtt_address());
        let text = format!(
            "endpoint = '{endpoint}'\naddress = '{address}'\nca_file = 'ca.pem'\n{lines}\n[outbox]\nfolder = 'state'\n[reconnect]\nfirst_seconds = 1\nlongest_seconds = 2\n{tables}"
        );
        fs::write(self.path("agent.toml"), text).unwrap();
        self.path("agent.toml")
    }

    pub(crate) fn config(&self, lines: &str, tables: &str) -> Config {
        Config::load(&self.config_file(lines, tables)).unwrap()
    }

    /// The chip's key, by the shared claim, with `more` in `[provision]`.
    pub(crate) fn by_claim(&self, more: &str) -> Config {
        self.config(&format!("device = '{}'", self.device()), &with_claim(more))
    }

    /// How many certificates fleet provisioning has made.
    pub(crate) fn created(&self) -> usize {
        self.cloud.events().filter(|event| matches!(event, Event::CertificateCreated { .. })).count()
    }

    pub(crate) fn status(&self, record: &Record) -> Option<Status> {
        let is_it = |event: &Event| match event {
            Event::Provisioned { certificate_id, .. } => certificate_id.as_str() == record.certificate_id,
            _ => false,
        };
        let event = self.cloud.events().find(is_it)?;
        let Event::Provisioned { certificate_id, .. } = event else { return None };
        self.cloud.registry().status(&certificate_id)
    }
}

pub(crate) fn with_claim(more: &str) -> String {
    format!(
        "[provision]\ntemplate = 'fleet'\nclaim_key = 'claim.key'\nclaim_certificate = 'claim.pem'\n{more}\n[provision.parameters]\nSerialNumber = '{{serial}}'\n"
    )
}

pub(crate) fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(work)
}

pub(crate) fn provisioned(config: &Config) -> Result<Record, Error> {
    block_on(provision::provision(config, None, false))
}

/// Connects as what was provisioned and publishes a message.
#[track_caller]
pub(crate) fn to_a_puback(config: &Config) {
    let mut config = config.clone();
    let identity = config.open_identity(None).unwrap();
    provision::adopt_names(&mut config, &identity);
    let agent = Agent::new(config, &identity).unwrap();
    block_on(agent.once(std::future::pending())).unwrap();
}

pub(crate) fn mode(file: &Path) -> u32 {
    fs::metadata(file).unwrap().permissions().mode() & 0o777
}

/// The id of the first certificate in a PEM file.
pub(crate) fn id_of(pem: &Path) -> CertificateId {
    use rustls::pki_types::{CertificateDer, pem::PemObject};
    CertificateId::of(&CertificateDer::from_pem_file(pem).unwrap())
}
