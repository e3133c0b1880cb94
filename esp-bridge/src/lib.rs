//! What the firmware of an ATECC608 behind a serial port does, for any board.
//!
//! A board brings pins, a clock and a byte stream; everything that decides or shows something is here, over the
//! traits of embedded-hal and embedded-graphics, and runs on the host in tests.
//!
//! - [`policy`]: what a host may ask of the chip at all.
//! - [`touch`]: when a finger must agree.
//! - [`session`]: both together, with the [`state`] that the device is in.
//! - [`gate`] and [`firmware`]: the session between `atecc::link` and the chip.
//! - [`screens`] and [`leds`]: what of it can be seen.
//! - [`pmic`], [`ft6336u`], [`button`], [`recovery`]: the parts of the boards.
#![no_std]
#![forbid(unsafe_code)]

pub mod button;
pub mod firmware;
pub mod ft6336u;
pub mod gate;
pub mod identity;
pub mod leds;
pub mod pmic;
pub mod policy;
pub mod recovery;
pub mod screens;
pub mod session;
pub mod state;
pub mod touch;
