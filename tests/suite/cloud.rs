//! AWS IoT Core, as ministack and moto stand in for it: the control API, and MQTT with mutual TLS.
//!
//! Both are required: where they are missing, the tests fail and say that `tests/run` installs them.

mod device;
mod double;
mod doubles;
mod microburst;
mod ministack;
mod moto;
mod network;
mod provision;
mod reel;
mod register;

pub(crate) use double::Double;
