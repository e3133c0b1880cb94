//! Which accounts and regions are meant.

use super::{AwsError, Client};

/// Accounts and regions of AWS. Credentials come from where every tool of AWS looks for them: the environment,
/// ~/.aws, single sign-on, a process, the machine's role.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "AWS")]
pub(crate) struct Options {
    /// The profile in ~/.aws; may be repeated for several accounts. Without it: AWS_PROFILE, then the default one.
    #[arg(long, value_name = "NAME")]
    profile: Vec<String>,
    /// The region, such as eu-central-1; may be repeated, and then counts for each profile. Without it:
    /// AWS_REGION, then that of the profile.
    #[arg(long, value_name = "REGION")]
    region: Vec<String>,
    /// Where the control API is, instead of AWS's own address: for private endpoints and doubles.
    #[arg(long, value_name = "URL", value_parser = url, value_hint = clap::ValueHint::Url)]
    endpoint_url: Option<String>,
}

impl Options {
    /// A client for each region of each profile, in the order in which they were typed. Nothing is sent to AWS yet.
    ///
    /// # Errors
    /// When a region is named nowhere.
    pub(crate) async fn clients(&self) -> Result<Vec<Client>, AwsError> {
        let mut clients = Vec::new();
        for profile in or_default(&self.profile) {
            for region in or_default(&self.region) {
                clients.push(Client::open(profile, region, self.endpoint_url.as_deref()).await?);
            }
        }
        Ok(clients)
    }
}

/// What was typed, or one time nothing.
fn or_default(typed: &[String]) -> Vec<Option<&str>> {
    if typed.is_empty() { vec![None] } else { typed.iter().map(|name| Some(name.as_str())).collect() }
}

/// An address with its scheme; the SDK finds out late and says it at length.
fn url(text: &str) -> Result<String, String> {
    let host = ["https://", "http://"].iter().find_map(|scheme| text.strip_prefix(scheme));
    match host {
        Some(host) if !host.is_empty() && !host.contains(char::is_whitespace) => Ok(text.to_owned()),
        _ => Err("an address such as https://vpce-0123.iot.eu-central-1.vpce.amazonaws.com is wanted".into()),
    }
}
