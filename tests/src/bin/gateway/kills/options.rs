//! What the campaign of kills may be told.

use clap::ValueEnum;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// How often the agent is killed.
    #[arg(long, value_name = "N", default_value_t = 300)]
    pub(super) kills: u64,
    /// In how many of these lives the broker is killed as well.
    #[arg(long, value_name = "N", default_value_t = 30)]
    pub(super) broker_kills: u64,
    /// In how many the disk is full.
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(super) full_disks: u64,
    /// Messages of all clients.
    #[arg(long, value_name = "N", default_value_t = 50_000)]
    pub(super) messages: u64,
    /// Clients that publish at the same time.
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) clients: u64,
    /// The broker of the cloud.
    #[arg(long, value_enum, default_value_t = BrokerKind::Double)]
    pub(super) broker: BrokerKind,
    /// Where the outbox is.
    #[arg(long, value_enum, default_value_t = Disk::Folder)]
    pub(super) disk: Disk,
    /// Shows a run again, as far as threads and time allow.
    #[arg(long, value_name = "S")]
    pub(super) seed: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum BrokerKind {
    /// A double that writes to disk, and is killed.
    Double,
    /// A real one, started again.
    Mosquitto,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Disk {
    /// A temporary folder.
    Folder,
    /// A file system in memory, which root can mount.
    Tmpfs,
}

/// As it is typed.
pub(super) fn name(value: impl ValueEnum) -> String {
    value.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
}
