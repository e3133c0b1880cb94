//! Gateways that get their certificate themselves.

mod answers;
mod fleet;
mod interrupted;
mod krypton;
mod process;
mod scripted;
mod site;
mod stub;
