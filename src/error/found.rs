//! Faults that are found in steps and told together.

use super::{Error, Fault, Result};

/// What is known to be wrong with a request before the database is asked for the rest, so that one answer tells all of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found(Vec<Fault>);

impl Found {
    /// These faults.
    pub fn new(faults: Vec<Fault>) -> Self {
        Self(faults)
    }

    /// Whether nothing is wrong so far.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// These faults and `others`. One about a field that is refused already, or that read one, says nothing of what was sent: a
    /// stand-in was judged.
    #[must_use]
    pub fn and(mut self, mut others: Vec<Fault>) -> Self {
        let is_refused = |pointer: &String| self.0.iter().any(|fault| fault.pointer == *pointer);
        others.retain(|fault| !is_refused(&fault.pointer) && !fault.reads.iter().any(is_refused));
        self.0.append(&mut others);
        self
    }

    /// What was asked for, if nothing is wrong with the request before or now; else 422 with all that is.
    pub fn judge<T>(self, outcome: Result<T, Vec<Fault>>) -> Result<T> {
        match outcome {
            Ok(value) if self.is_empty() => Ok(value),
            outcome => Err(self.and(outcome.err().unwrap_or_default()).into()),
        }
    }
}

impl From<Found> for Error {
    fn from(found: Found) -> Self {
        let mut faults = found.0;
        faults.sort();
        faults.dedup_by(|a, b| a.pointer == b.pointer && a.code == b.code);
        Self::invalid(faults)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::FaultCode;

    fn fault(pointer: &str) -> Fault {
        Fault::new(pointer, FaultCode::Invalid)
    }

    fn told(found: Found, outcome: Result<(), Vec<Fault>>) -> Vec<String> {
        let Err(Error::Refused(refusal)) = found.judge(outcome) else {
            panic!("nothing is told");
        };
        let faults = refusal.faults.into_iter();
        faults.map(|fault| fault.pointer).collect()
    }

    #[test]
    fn what_was_found_before_is_told_with_what_is_found_now() {
        let before = || Found::new(vec![fault("#/b")]);
        assert_eq!(told(before(), Err(vec![fault("#/a")])), ["#/a", "#/b"]);
        assert_eq!(told(before(), Ok(())), ["#/b"]);
        assert_eq!(told(Found::default(), Err(vec![fault("#/a")])), ["#/a"]);
        assert!(Found::default().judge(Ok(())).is_ok());
    }

    #[test]
    fn nothing_is_said_of_a_stand_in() {
        let found = Found::new(vec![fault("#/country")]);
        let own = fault("#/country").with("allowed", "DK");
        let reading = fault("#/vat_number").reading("#/country");
        let other = fault("#/vat_number").reading("#/vat_registered");
        let found = found.and(vec![own, reading]);
        assert_eq!(told(found, Err(vec![other])), ["#/country", "#/vat_number"]);
    }

    #[test]
    fn the_same_fault_is_told_once() {
        let twice = Found::new(vec![fault("#/a"), fault("#/a")]);
        assert_eq!(told(twice, Ok(())), ["#/a"]);
    }
}
