//! `atecc manifest`: real manifests, made ones, and forgeries of both.

mod create;
mod forge;
mod made;
mod peers;
mod real;
mod refusals;
mod stream;
