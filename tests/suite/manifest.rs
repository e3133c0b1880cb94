//! `atecc manifest`: real manifests, made ones, and forgeries of both.

mod bulk;
mod create;
mod forge;
mod made;
mod peers;
mod real;
mod refusals;
mod stream;

pub(crate) use made::LogSigner;
