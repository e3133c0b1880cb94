//! Just-in-time registration and provisioning: what happens when a device comes that nobody has heard of.
//!
//! At the CONNECT packet, not in the handshake, and always with the connection closed without a CONNACK. A template is
//! run meanwhile; until it is done the device is turned away again (developer guide, "Just-in-time provisioning",
//! "just-in-time registration").

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::json;

use crate::account::Account;
use crate::event::{Event, Qos};
use crate::registry::CaRecord;
use crate::template::{Template, of_certificate};
use crate::{CertificateId, Reason, Status};

impl Account {
    /// Lets a device with an unknown or pending certificate register itself, if its authority may do that; why its
    /// connection ends. `delay` is how long the template takes.
    pub(crate) async fn just_in_time(
        self: &Arc<Self>,
        connection: u64,
        certificate: &[u8],
        id: &CertificateId,
        delay: Duration,
    ) -> Reason {
        let Some(ca) = self.registry.auto_registering_ca(certificate) else {
            return match self.registry.status(id) {
                Some(status) => Reason::CertificateNotActive(status),
                None => Reason::UnknownCertificate(id.clone()),
            };
        };
        let known_since = self.registry.register_pending(id);
        // "When AWS IoT automatically registers a certificate or when a client presents a certificate in the
        // PENDING_ACTIVATION status, AWS IoT publishes a message".
        self.publish_registered(&ca, id, known_since).await;
        if known_since.is_none() {
            self.history.record(Event::CertificateRegistered {
                connection,
                certificate_id: id.clone(),
                ca_certificate_id: ca.id.clone(),
            });
        }
        if let Some(template) = &ca.template {
            self.run(template.clone(), certificate.to_vec(), id.clone(), delay);
        }
        Reason::JustInTime
    }

    /// `known_since` is null in the event of the connection that registered the certificate.
    async fn publish_registered(&self, ca: &CaRecord, id: &CertificateId, known_since: Option<SystemTime>) {
        let milliseconds = |time: SystemTime| {
            time.duration_since(UNIX_EPOCH)
                .map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
        };
        let event = json!({
            "certificateId": id.as_str(),
            "caCertificateId": ca.id.as_str(),
            "timestamp": milliseconds(SystemTime::now()),
            "certificateStatus": Status::PendingActivation.to_string(),
            "awsAccountId": self.number,
            "certificateRegistrationTimestamp": known_since.map(|time| milliseconds(time).to_string()),
        });
        let topic = format!("$aws/events/certificates/registered/{}", ca.id);
        self.broker.publish(&topic, event.to_string(), Qos::AtMostOnce).await;
    }

    /// Runs the template. A device that comes again before that is done starts it once more, which changes nothing.
    fn run(
        self: &Arc<Self>,
        template: Arc<Template>,
        certificate: Vec<u8>,
        id: CertificateId,
        delay: Duration,
    ) {
        let account = self.clone();
        tokio::spawn(async move {
            tokio::time::sleep(delay).await;
            if account.registry.status(&id) != Some(Status::PendingActivation) {
                return;
            }
            let plan = template.plan(&of_certificate(&certificate, &id));
            let event = match plan.and_then(|plan| account.registry.provision(&id, plan)) {
                Ok(done) => Event::Provisioned { connection: None, certificate_id: id, thing: done.thing },
                Err(problem) => Event::ProvisioningFailed { certificate_id: id, problem },
            };
            account.history.record(event);
        });
    }
}
