//! Answers of variable length: one place for the rules of section 5.2.

use crate::error::Error;

/// What the caller offers for an answer whose length varies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Offer {
    /// A NULL buffer: how long would the answer be?
    LengthOnly,
    /// A buffer for this many values.
    Room(usize),
}

impl Offer {
    /// Fits an answer of `length` values to the offer; only if it fits is it made at all.
    pub(crate) fn fit<T>(
        self,
        length: usize,
        make: impl FnOnce() -> Result<T, Error>,
    ) -> Result<Answer<T>, Error> {
        match self {
            Self::LengthOnly => Ok(Answer::Length(length)),
            Self::Room(room) if room < length => Ok(Answer::TooLong(length)),
            Self::Room(_) => make().map(Answer::Whole),
        }
    }
}

/// The answer as it fits the offer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer<T> {
    /// Only the length was asked for.
    Length(usize),
    /// The buffer is too small; the answer has this length.
    TooLong(usize),
    /// The whole answer.
    Whole(T),
}

impl<T> Answer<T> {
    /// Whether the operation that gave this answer is over. One whose answer did not fit, or of which only the
    /// length was asked, waits for the call that takes the answer.
    pub(crate) fn is_final(&self) -> bool {
        matches!(self, Self::Whole(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_comes_without_any_work() {
        let unreachable = || -> Result<(), Error> { panic!("nobody asked for the answer") };
        assert_eq!(Offer::LengthOnly.fit(64, unreachable), Ok(Answer::Length(64)));
        assert_eq!(Offer::Room(63).fit(64, unreachable), Ok(Answer::TooLong(64)));
        assert_eq!(Offer::Room(0).fit(64, unreachable), Ok(Answer::TooLong(64)));
    }

    #[test]
    fn the_answer_is_made_where_it_fits() {
        assert_eq!(Offer::Room(64).fit(64, || Ok([1; 64])), Ok(Answer::Whole([1; 64])));
        assert_eq!(Offer::Room(99).fit(64, || Err::<(), _>(Error::Device)), Err(Error::Device));
    }

    #[test]
    fn only_a_whole_answer_ends_an_operation() {
        assert!(!Answer::<()>::Length(64).is_final());
        assert!(!Answer::<()>::TooLong(64).is_final());
        assert!(Answer::Whole(()).is_final());
    }
}
