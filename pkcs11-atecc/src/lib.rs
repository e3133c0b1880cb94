//! A PKCS#11 module for the ATECC608: programs that speak Cryptoki sign with the key inside the chip.
//!
//! A call comes in through `abi`, the only place with C types behind raw pointers: the fence there catches
//! panics and asks whether the module was initialized, and pointers become references. Behind it everything
//! is safe Rust: `process` holds the module of this process, `module` its slots and sessions, `object` what a
//! session can find, `mechanism` what it can do.
//!
//! The module is a guest in the process that loads it: it starts no threads, installs no logger or panic
//! handler, changes no environment variable, and exports `C_GetFunctionList`, `C_GetInterfaceList` and
//! `C_GetInterface` only.
//!
//! Sections named in the documentation are those of the PKCS#11 Cryptographic Token Interface Base
//! Specification Version 2.40 Plus Errata 01, unless the text says "mechanisms", which means the Current
//! Mechanisms Specification of the same version, or "version 3.0", which means the Base Specification of that
//! version.
#![deny(unsafe_code)]

#[allow(unsafe_code, reason = "the C side of the standard: raw pointers and an exported symbol")]
mod abi;
mod aes;
mod config;
mod error;
mod hash;
mod info;
mod log;
mod mechanism;
mod module;
mod object;
mod output;
mod pin;
mod process;
mod reserved;
mod session;
mod slot;
mod store;
mod template;
mod token;
