//! What all connections share.

use std::sync::Arc;

use crate::account::Account;
use crate::authority::Authority;
use crate::clock::Clock;
use crate::connections::Connections;
use crate::history::History;
use crate::issuer::Issuer;
use crate::tls::Tls;
use crate::{Error, Options};

/// The emulated cloud, without its listeners and its thread.
pub(crate) struct Service {
    pub(crate) options: Options,
    pub(crate) root_pem: String,
    pub(crate) tls: Tls,
    pub(crate) clock: Clock,
    pub(crate) history: Arc<History>,
    pub(crate) connections: Arc<Connections>,
    /// The account of `options.endpoint`, then those of `options.further_accounts`.
    pub(crate) accounts: Vec<Arc<Account>>,
}

impl Service {
    /// Makes the certificates and starts the broker libraries on the current runtime.
    pub(crate) async fn start(options: Options) -> Result<Self, Error> {
        options.check()?;
        let (clock, history) = (Clock::default(), Arc::<History>::default());
        let authority = Authority::for_endpoints(options.accounts().map(|(endpoint, _)| endpoint))?;
        let issuer = Arc::new(Issuer::new()?);
        let mut accounts = Vec::new();
        for (endpoint, number) in options.accounts() {
            let (issuer, clock, history) = (issuer.clone(), clock.clone(), history.clone());
            accounts
                .push(Arc::new(Account::start(endpoint, number, &options, issuer, clock, history).await?));
        }
        Ok(Self {
            root_pem: authority.root_pem.clone(),
            tls: Tls::new(authority)?,
            clock,
            history,
            connections: Arc::default(),
            accounts,
            options,
        })
    }

    /// The account that a client means: the one whose endpoint it sent as SNI.
    pub(crate) fn account(&self, server_name: &str) -> Option<&Arc<Account>> {
        self.accounts.iter().find(|account| account.endpoint == server_name)
    }
}
