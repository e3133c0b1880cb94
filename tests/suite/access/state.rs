//! Volatile memory as the model follows it (section 3): flags and validity, no values.

/// One state that the chip may be in. Where a data sheet leaves it open what a command does to volatile
/// memory, the model goes on with each of the possibilities until an answer tells them apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) temp_key: TempKey,
    /// The Message Digest Buffer: how many bytes are valid (section 3.2).
    pub(crate) message_digest: usize,
    /// The Alternate Key Buffer (section 3.3).
    pub(crate) alternate_key: bool,
    pub(crate) sha: Sha,
}

/// TempKey (section 3.1, table 3-1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TempKey {
    pub(crate) valid: bool,
    /// Whether the upper 32 bytes are valid as well.
    pub(crate) upper: bool,
    pub(crate) source: Source,
    pub(crate) gen_dig: bool,
    pub(crate) gen_key: bool,
    pub(crate) key_id: u8,
    pub(crate) no_mac: bool,
    pub(crate) content: Content,
}

/// SourceFlag: 0 is internally generated, 1 is input (table 3-1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Source {
    #[default]
    Random,
    Input,
}

/// What kind of value TempKey holds, beyond the flags.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Content {
    /// Of Nonce, GenDig or GenKey with digest: the flags are known.
    #[default]
    Nonce,
    /// Of ECDH, KDF or SHA: the sheets say that it is valid, and nothing of the other flags.
    Derived,
    /// A private key that GenKey made (section 5.2.2.2).
    PrivateKey,
}

/// The SHA context (section 3.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Sha {
    #[default]
    None,
    Digest,
    Hmac,
}

impl TempKey {
    pub(crate) fn of_nonce(source: Source, upper: bool) -> Self {
        Self { valid: true, upper, source, ..Self::default() }
    }

    pub(crate) fn derived(upper: bool) -> Self {
        Self { valid: true, upper, content: Content::Derived, ..Self::default() }
    }
}

impl State {
    /// After use: "Valid and all the other flags are cleared to zero whenever TempKey is used" (section 3.1).
    pub(crate) fn without_temp_key(&self) -> Self {
        Self { temp_key: TempKey::default(), ..self.clone() }
    }

    pub(crate) fn with_temp_key(&self, temp_key: TempKey) -> Self {
        Self { temp_key, ..self.clone() }
    }

    /// After a result for the lower half: "all other commands can modify only the first 32 bytes" (section 3.1).
    /// Whether the upper ones stay valid beside it is not said.
    pub(crate) fn with_lower(&self, temp_key: TempKey) -> Vec<Self> {
        let upper = self.temp_key.valid && self.temp_key.upper;
        let with = |upper| self.with_temp_key(TempKey { upper, ..temp_key.clone() });
        if upper { vec![with(true), with(false)] } else { vec![with(false)] }
    }

    pub(crate) fn without_message_digest(&self) -> Self {
        Self { message_digest: 0, ..self.clone() }
    }

    /// After idle and wake: TempKey, Message Digest Buffer and Alternate Key Buffer are kept (table 7-2). The
    /// SHA context is invalidated "on power-up and wake" (section 5.1.8) or only by sleep (section 3.4).
    pub(crate) fn after_idle(&self) -> Vec<Self> {
        vec![self.clone(), Self { sha: Sha::None, ..self.clone() }]
    }
}

/// `states`, each once.
pub(crate) fn distinct(states: Vec<State>) -> Vec<State> {
    states.into_iter().fold(Vec::new(), |mut all, state| {
        if !all.contains(&state) {
            all.push(state);
        }
        all
    })
}
