//! What the model expects of one command in one state.

use super::state::{Content, Source, TempKey};

/// Status codes (table 4-3).
pub(crate) const SUCCESS: u8 = 0x00;
pub(crate) const MISCOMPARE: u8 = 0x01;
pub(crate) const PARSE: u8 = 0x03;
pub(crate) const ECC: u8 = 0x05;
pub(crate) const EXECUTION: u8 = 0x0f;
pub(crate) const COMMUNICATION: u8 = 0xff;

/// Whether the chip allows a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Expectation {
    Allowed(Answer),
    /// With one of these statuses.
    Refused(Vec<u8>),
    /// The sources do not settle it; if it is allowed, this is the answer.
    Unspecified(Answer),
}

/// How an allowed command is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Status 0x00.
    Done,
    /// Status 0x00 or 0x01: a comparison was made.
    Compared,
    /// Status 0x01, and nothing else: a comparison that cannot succeed.
    Differs,
    /// So many bytes, or so many.
    Data(Vec<usize>),
    /// These bytes.
    Exactly(Vec<u8>),
    /// These bytes, and then padding up to 32.
    Padded(Vec<u8>),
    /// The flags of TempKey (Info, table 5-10).
    Flags(TempKey),
}

impl Answer {
    pub(crate) fn data(length: usize) -> Self {
        Self::Data(vec![length])
    }

    /// Whether `answer`, the bytes between count and CRC, is this one.
    pub(crate) fn is(&self, answer: &[u8]) -> bool {
        match self {
            Self::Done => answer == [SUCCESS],
            Self::Compared => answer == [SUCCESS] || answer == [MISCOMPARE],
            Self::Differs => answer == [MISCOMPARE],
            Self::Data(lengths) => lengths.contains(&answer.len()),
            Self::Exactly(bytes) => answer == bytes,
            Self::Padded(bytes) => answer.len() == 32 && answer.starts_with(bytes),
            Self::Flags(temp_key) => flags(temp_key, answer),
        }
    }
}

/// Table 5-10. Not compared: the order of the two pairs of bytes, which the sheet does not tell for sure, the
/// AuthComplete bits, and SourceFlag, for which the table contradicts table 3-1.
fn flags(temp_key: &TempKey, answer: &[u8]) -> bool {
    let (low, high) = match answer {
        [0, 0, high, low] | [low, high, 0, 0] => (*low, *high),
        _ => return false,
    };
    let known = temp_key.valid && temp_key.content == Content::Nonce;
    let generated = temp_key.gen_dig || temp_key.gen_key;
    (high & 0x80 != 0) == temp_key.valid
        && (!known
            || (low & 0x80 != 0) == temp_key.no_mac
                && (low & 0x40 != 0) == temp_key.gen_key
                && (low & 0x20 != 0) == temp_key.gen_dig
                && (!generated || low & 0x0f == temp_key.key_id))
}

/// The reasons that speak against a command, collected: "no particular precedence is enforced among the
/// remaining errors if more than one occurs" (section 4.3).
#[derive(Debug, Default)]
pub(crate) struct Findings {
    statuses: Vec<u8>,
    silent: bool,
}

impl Findings {
    /// Illegal in any state: a parse error.
    pub(crate) fn illegal(&mut self, is: bool) {
        self.refuse(is, &[PARSE]);
    }

    /// Not in this state or configuration: an execution error.
    pub(crate) fn forbidden(&mut self, is: bool) {
        self.refuse(is, &[EXECUTION]);
    }

    /// An error, and the sources do not tell which of the two.
    pub(crate) fn wrong(&mut self, is: bool) {
        self.refuse(is, &[PARSE, EXECUTION]);
    }

    /// Refused with one of `statuses`.
    pub(crate) fn refuse(&mut self, is: bool, statuses: &[u8]) {
        if is {
            self.statuses.extend(statuses);
        }
    }

    /// The sources do not tell what happens.
    pub(crate) fn silent(&mut self, is: bool) {
        self.silent |= is;
    }

    /// Too short is illegal (table 4-3); of bytes too many, "some input bytes may be silently ignored"
    /// (section 4.1).
    pub(crate) fn length(&mut self, actual: usize, needed: usize) {
        self.illegal(actual < needed);
        self.silent(actual > needed);
    }

    /// Any use of an invalid TempKey is an error (section 3.1). Who uses a private key in it other than ECDH,
    /// the sheets do not tell.
    pub(crate) fn needs_temp_key(&mut self, temp_key: &TempKey) {
        self.forbidden(!temp_key.valid);
        self.silent(temp_key.content == Content::PrivateKey);
    }

    /// A flag has to have a value that `temp_key` may or may not have.
    pub(crate) fn needs_flag(&mut self, temp_key: &TempKey, has: bool) {
        if temp_key.content == Content::Nonce {
            self.forbidden(temp_key.valid && !has);
        } else {
            self.silent(true);
        }
    }

    /// Mode\[2\] must match SourceFlag (tables 5-63 and 5-93).
    pub(crate) fn needs_matching_source(&mut self, temp_key: &TempKey, mode: u8) {
        let source = if mode & 0x04 != 0 { Source::Input } else { Source::Random };
        self.needs_flag(temp_key, temp_key.source == source);
    }

    pub(crate) fn conclude(self, answer: Answer) -> Expectation {
        if !self.statuses.is_empty() {
            // What the sources leave open may itself be an error, of either kind.
            let open: &[u8] = if self.silent { &[PARSE, EXECUTION] } else { &[] };
            Expectation::Refused([&self.statuses, open].concat())
        } else if self.silent {
            Expectation::Unspecified(answer)
        } else {
            Expectation::Allowed(answer)
        }
    }
}
