//! A line without hardware.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::Line;

/// A line that only exists in memory. Clones are the same line, so that somebody else can look at it, or play the
/// world that moves an input.
#[derive(Clone, Debug, Default)]
pub struct SimulatedLine(Arc<AtomicBool>);

impl Line for SimulatedLine {
    fn set(&mut self, on: bool) -> io::Result<()> {
        self.0.store(on, Ordering::SeqCst);
        Ok(())
    }

    fn is_on(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clone_sees_the_same_line() {
        let mut line = SimulatedLine::default();
        let looker_on = line.clone();
        line.set(true).unwrap();
        assert!(looker_on.is_on());
    }
}
