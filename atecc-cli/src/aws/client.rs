//! One account in one region.

use std::{fmt, sync::Arc, time::Duration};

use aws_config::{
    BehaviorVersion, Region, profile::ProfileFileCredentialsProvider, provider_config::ProviderConfig,
    retry::RetryConfig, timeout::TimeoutConfig,
};
use aws_smithy_http_client::{
    Builder, Connector,
    proxy::ProxyConfig,
    tls::{Provider, rustls_provider::CryptoMode},
};

use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_iot::config::SharedHttpClient;

use super::AwsError;

/// So long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(10);
/// So long AWS may take for one attempt. It answers within a second.
const ATTEMPT: Duration = Duration::from_secs(15);
/// Attempts for what may be repeated: throttled, lost on the way, or a failure inside AWS.
const ATTEMPTS: u32 = 4;

/// The control API of one account in one region. Cheap to clone; calls may run side by side.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    pub(super) iot: aws_sdk_iot::Client,
    pub(super) place: Arc<Place>,
}

/// Which account and region, in the words of whoever named them.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Place {
    /// As in ~/.aws; `None`: the default one.
    pub(crate) profile: Option<String>,
    /// Such as `eu-central-1`.
    pub(crate) region: String,
    /// Instead of AWS's own address.
    pub(crate) endpoint_url: Option<String>,
}

impl Client {
    /// Finds region and credentials in the usual places. Nothing is sent to AWS IoT yet.
    ///
    /// # Errors
    /// When no region is named anywhere.
    pub(crate) async fn open(
        profile: Option<&str>,
        region: Option<&str>,
        endpoint_url: Option<&str>,
    ) -> Result<Self, AwsError> {
        let http_client = http_client();
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .http_client(http_client.clone())
            .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
            .timeout_config(
                TimeoutConfig::builder().connect_timeout(CONNECT).operation_attempt_timeout(ATTEMPT).build(),
            );
        if let Some(region) = region {
            loader = loader.region(Region::new(region.to_owned()));
        }
        if let Some(profile) = profile {
            loader = loader.profile_name(profile);
        }
        let mut shared = loader.load().await;
        if let Some(profile) = profile {
            // What is named counts before the environment, as with AWS's own tools. Otherwise two profiles would both
            // be the account of AWS_ACCESS_KEY_ID.
            let provider = ProviderConfig::default().with_http_client(http_client);
            let provider = provider.with_region(shared.region().cloned());
            let credentials =
                ProfileFileCredentialsProvider::builder().configure(&provider).profile_name(profile).build();
            let credentials = SharedCredentialsProvider::new(credentials);
            shared = shared.into_builder().credentials_provider(credentials).build();
        }
        let region = shared.region().map(ToString::to_string);
        let region = region.ok_or_else(|| AwsError::NoRegion { profile: profile.map(str::to_owned) })?;
        if !is_region(&region) {
            return Err(AwsError::NotARegion { region });
        }
        let mut config = aws_sdk_iot::config::Builder::from(&shared);
        if let Some(url) = endpoint_url {
            config = config.endpoint_url(url);
        }
        let place = Place {
            profile: profile.map(str::to_owned).or_else(|| std::env::var("AWS_PROFILE").ok()),
            region,
            endpoint_url: endpoint_url.or(shared.endpoint_url()).map(str::to_owned),
        };
        Ok(Self { iot: aws_sdk_iot::Client::from_conf(config.build()), place: Arc::new(place) })
    }

    /// The same, which leaves it to its user to repeat what may be repeated.
    pub(crate) fn single_attempts(&self) -> Self {
        let config = self.iot.config().to_builder().retry_config(RetryConfig::disabled()).build();
        Self { iot: aws_sdk_iot::Client::from_conf(config), place: Arc::clone(&self.place) }
    }

    /// Which account and region it is for.
    pub(crate) fn place(&self) -> &Place {
        &self.place
    }
}

/// What can be the label of a host name; anything else would lead the request elsewhere.
fn is_region(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// HTTPS with ring, the system's certificate authorities, and the proxy that the environment names.
fn http_client() -> SharedHttpClient {
    Builder::new().build_with_connector_fn(|settings, components| {
        let mut builder = Connector::builder();
        builder.set_connector_settings(settings.cloned());
        if let Some(components) = components {
            builder.set_sleep_impl(components.sleep_impl());
        }
        builder.proxy_config(ProxyConfig::from_env()).tls_provider(Provider::Rustls(CryptoMode::Ring)).build()
    })
}

impl Place {
    /// Where calls go to.
    pub(crate) fn host(&self) -> String {
        match &self.endpoint_url {
            Some(url) => url.clone(),
            None if self.region.starts_with("cn-") => format!("iot.{}.amazonaws.com.cn", self.region),
            None => format!("iot.{}.amazonaws.com", self.region),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.region)?;
        match &self.profile {
            Some(profile) => write!(f, " (profile {profile})"),
            None => Ok(()),
        }
    }
}
