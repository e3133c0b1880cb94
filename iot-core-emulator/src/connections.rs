//! The connections that are open now, to be able to cut them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

use crate::{Reason, lock};

/// How long a new connection waits for the end of the old one with the same client id.
const TAKEOVER_LIMIT: Duration = Duration::from_secs(2);

/// All open connections.
#[derive(Debug, Default)]
pub(crate) struct Connections {
    table: Mutex<Table>,
    /// Counts ends, to wake who waits for one.
    ended: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Table {
    newest: u64,
    open: HashMap<u64, Entry>,
}

#[derive(Debug)]
struct Entry {
    /// Account and client id.
    client: Option<(String, String)>,
    cut: mpsc::Sender<Reason>,
}

/// One connection's place among the open ones; dropping it gives the place up.
pub(crate) struct Ticket {
    connections: Arc<Connections>,
    pub(crate) number: u64,
    cut: mpsc::Receiver<Reason>,
}

impl Connections {
    /// Takes a new connection in.
    pub(crate) fn open(self: &Arc<Self>) -> Ticket {
        let (sender, cut) = mpsc::channel(1);
        let mut table = lock(&self.table);
        table.newest += 1;
        let number = table.newest;
        table.open.insert(number, Entry { client: None, cut: sender });
        Ticket { connections: self.clone(), number, cut }
    }

    /// Gives a client id to a connection. An older one with the same id in the same account is cut, and its end
    /// awaited.
    pub(crate) async fn claim(&self, number: u64, account: &str, client_id: &str) {
        let client = (account.to_owned(), client_id.to_owned());
        let mut ended = self.ended.subscribe();
        let mut rivals = Vec::new();
        {
            let mut table = lock(&self.table);
            for (rival, entry) in &table.open {
                if *rival != number && entry.client.as_ref() == Some(&client) {
                    // A full channel means that it is being cut already.
                    let _ = entry.cut.try_send(Reason::DuplicateClientId);
                    rivals.push(*rival);
                }
            }
            if let Some(entry) = table.open.get_mut(&number) {
                entry.client = Some(client);
            }
        }
        let gone = ended.wait_for(|_| {
            let table = lock(&self.table);
            !rivals.iter().any(|rival| table.open.contains_key(rival))
        });
        // A rival that hangs is left behind: the broker library takes its session over anyway.
        let _ = timeout(TAKEOVER_LIMIT, gone).await;
    }

    /// Cuts all connections; tells how many.
    pub(crate) fn cut_all(&self) -> usize {
        let table = lock(&self.table);
        table.open.values().for_each(|entry| {
            let _ = entry.cut.try_send(Reason::Cut);
        });
        table.open.len()
    }
}

impl Ticket {
    /// Waits until somebody wants this connection to end. Safe to cancel.
    pub(crate) async fn cut(&mut self) -> Reason {
        // The sender is in the table as long as this ticket lives.
        self.cut.recv().await.unwrap_or(Reason::Cut)
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        lock(&self.connections.table).open.remove(&self.number);
        self.connections.ended.send_modify(|count| *count += 1);
    }
}
