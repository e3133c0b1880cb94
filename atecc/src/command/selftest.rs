//! SelfTest (section 5.1.7). Longest times: 250, 625 and 2324 ms at M0, M1 and M2.

use core::{fmt, ops::BitOr};

use super::{Command, ExecutionTime};
use crate::{
    ResponseError,
    packet::{Packet, Response},
};

/// SelfTest: runs tests of the chip's engines. With [`SelfTests::NONE`] it tells which have failed before.
#[derive(Clone, Copy, Debug)]
pub struct SelfTest {
    /// Which.
    pub tests: SelfTests,
}

/// A set of self tests: the bits of the mode and of the failure map (table 5-22).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SelfTests(u8);

impl SelfTests {
    /// No test.
    pub const NONE: Self = Self(0x00);
    /// Random number generator.
    pub const RNG: Self = Self(0x01);
    /// ECDSA signature and verification.
    pub const ECDSA: Self = Self(0x04);
    /// ECDH.
    pub const ECDH: Self = Self(0x08);
    /// AES.
    pub const AES: Self = Self(0x10);
    /// SHA-256.
    pub const SHA: Self = Self(0x20);
    /// All of them.
    pub const ALL: Self = Self(0x3d);

    /// Whether there is no test in the set.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether all tests of `other` are in the set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl BitOr for SelfTests {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl fmt::Display for SelfTests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = [
            (Self::RNG, "RNG"),
            (Self::ECDSA, "ECDSA"),
            (Self::ECDH, "ECDH"),
            (Self::AES, "AES"),
            (Self::SHA, "SHA"),
        ];
        let mut separator = "";
        for (_, name) in names.iter().filter(|(test, _)| self.contains(*test)) {
            write!(f, "{separator}{name}")?;
            separator = ", ";
        }
        if self.is_empty() { f.write_str("none") } else { Ok(()) }
    }
}

impl Command for SelfTest {
    const NAME: &'static str = "SelfTest";
    const OPCODE: u8 = 0x77;
    const EXECUTION_TIME: ExecutionTime = ExecutionTime { typical_us: 150_000, longest_ms: [250, 625, 2324] };
    /// The tests that failed.
    type Output = SelfTests;

    fn packet(&self) -> Packet {
        Packet::new(Self::OPCODE, self.tests.0 & SelfTests::ALL.0, 0x0000, &[], 1)
    }

    /// A byte that is a subset of the tests asked for is the failure map, all other codes are errors. Some
    /// maps equal a status (0x05, 0x08, 0x11); they are taken for maps.
    fn output(&self, response: &Response) -> Result<SelfTests, ResponseError> {
        let asked = if self.tests.is_empty() { SelfTests::ALL } else { self.tests };
        match response.status() {
            Some(status) if asked.contains(SelfTests(status.code())) => Ok(SelfTests(status.code())),
            Some(status) => Err(ResponseError::Status(status)),
            None => Err(ResponseError::Length { expected: 1, received: response.data().len() }),
        }
    }
}
