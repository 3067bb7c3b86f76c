//! What a refusal says: its code, and each field that does not pass. Which codes there are is in `error`.

use super::{Code, FaultCode};

/// One field that does not pass; never with the value that was sent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// A JSON Pointer as a URI fragment: `#/contact/email`. For a query or header value: `#/query/limit`.
    pub pointer: String,
    /// What is wrong.
    pub code: FaultCode,
    /// What the text names: `max` of a length, `allowed` of a list.
    pub params: Vec<(&'static str, String)>,
}

impl Fault {
    /// A fault at `pointer`.
    pub fn new(pointer: impl Into<String>, code: FaultCode) -> Self {
        Self {
            pointer: pointer.into(),
            code,
            params: Vec::new(),
        }
    }

    /// Names one more value for the text.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.params.push((name, value.to_string()));
        self
    }
}

/// A refusal: its code, what its text names, and every field that does not pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Why.
    pub code: Code,
    /// What the text names.
    pub params: Vec<(&'static str, String)>,
    /// Each field that does not pass.
    pub faults: Vec<Fault>,
    /// Seconds after which trying again makes sense.
    pub retry_after: Option<u64>,
}

impl Refusal {
    /// Names one more value for the text.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.params.push((name, value.to_string()));
        self
    }

    /// Says when trying again makes sense.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// Names the fields that do not pass.
    #[must_use]
    pub fn faults(mut self, faults: Vec<Fault>) -> Self {
        self.faults = faults;
        self
    }
}

impl From<Code> for Refusal {
    fn from(code: Code) -> Self {
        Self {
            code,
            params: Vec::new(),
            faults: Vec::new(),
            retry_after: None,
        }
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self::from(Code::InvalidRequest).faults(vec![fault])
    }
}

impl Code {
    /// A refusal with this code whose text names `name`.
    pub fn with(self, name: &'static str, value: impl ToString) -> Refusal {
        Refusal::from(self).with(name, value)
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code.as_str())
    }
}

impl std::error::Error for Refusal {}
