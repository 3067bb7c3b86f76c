//! Faults that are collected and told together: those of a body, of rules over several of its fields, and those that the database knows.

use super::{Code, Error, Fault, FaultCode, Refusal, Result};

/// What is wrong with a request so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// Whether nothing is wrong so far.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// One more.
    pub fn push(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    /// What a check made of what it read; nothing where it found faults, which are told with the others.
    pub fn note<T>(&mut self, outcome: Result<T, Vec<Fault>>) -> Option<T> {
        outcome.map_err(|faults| self.0.extend(faults)).ok()
    }

    /// What was asked for, if nothing is wrong with the request; else 422 with all that is. `read` is nothing where a field that it needs
    /// could not be read.
    pub fn judge<T>(self, read: Option<T>) -> Result<T> {
        match read {
            Some(value) if self.is_empty() => Ok(value),
            None if self.is_empty() => Err(Fault::new("#", FaultCode::Invalid).into()),
            _ => Err(self.into()),
        }
    }
}

impl From<Vec<Fault>> for Faults {
    fn from(faults: Vec<Fault>) -> Self {
        Self(faults)
    }
}

impl Extend<Fault> for Faults {
    fn extend<I: IntoIterator<Item = Fault>>(&mut self, faults: I) {
        self.0.extend(faults);
    }
}

impl From<Faults> for Refusal {
    fn from(faults: Faults) -> Self {
        let mut faults = faults.0;
        faults.sort();
        faults.dedup_by(|a, b| a.pointer == b.pointer && a.code == b.code);
        Self::from(Code::InvalidRequest).faults(faults)
    }
}

impl From<Faults> for Error {
    fn from(faults: Faults) -> Self {
        Self::Refused(faults.into())
    }
}

/// A body as far as it could be read: for who asks the database for more, and refuses all at once.
#[derive(Debug, Clone, Default)]
pub struct Partial<T> {
    /// Its fields.
    pub read: T,
    /// What is wrong with it so far.
    pub faults: Faults,
}

impl<T> Partial<T> {
    /// The same with what `change` makes of what was read.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Partial<U> {
        Partial {
            read: change(self.read),
            faults: self.faults,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(pointer: &str) -> Fault {
        Fault::new(pointer, FaultCode::Invalid)
    }

    fn told(faults: Faults, read: Option<()>) -> Vec<String> {
        let Err(Error::Refused(refusal)) = faults.judge(read) else {
            panic!("nothing is told");
        };
        let faults = refusal.faults.into_iter();
        faults.map(|fault| fault.pointer).collect()
    }

    #[test]
    fn what_was_found_before_is_told_with_what_is_found_later() {
        let mut faults = Faults::from(vec![fault("#/b"), fault("#/b")]);
        assert_eq!(faults.note::<()>(Err(vec![fault("#/a")])), None);
        assert_eq!(faults.note(Ok(7)), Some(7));
        assert_eq!(told(faults.clone(), Some(())), ["#/a", "#/b"]);
        assert_eq!(told(faults, None), ["#/a", "#/b"]);
    }

    #[test]
    fn nothing_that_could_not_be_read_passes() {
        assert_eq!(Faults::default().judge(Some(7)).unwrap(), 7);
        assert_eq!(told(Faults::default(), None), ["#"]);
    }
}
