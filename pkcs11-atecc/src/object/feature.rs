//! Hardware features (section 4.3): the monotonic counters.

use atecc::zone::CounterId;
use cryptoki_sys::*;

use super::Attributes;

/// A counter. Its value is read when somebody asks, and is given with the highest byte first.
pub(super) fn counter(counter: CounterId) -> Attributes {
    let number = match counter {
        CounterId::Counter0 => 0,
        CounterId::Counter1 => 1,
    };
    Attributes::default()
        .number(CKA_CLASS, CKO_HW_FEATURE)
        .number(CKA_HW_FEATURE_TYPE, CKH_MONOTONIC_COUNTER)
        .bytes(CKA_UNIQUE_ID, format!("counter:{number}").as_bytes())
        // Nothing resets it, C_InitToken least of all.
        .boolean(CKA_RESET_ON_INIT, false)
        .boolean(CKA_HAS_RESET, false)
        .in_chip(CKA_VALUE)
}
