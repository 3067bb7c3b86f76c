//! What dealers report, line by line: sales, returns, corrections. Files of many lines are elsewhere.

#[cfg(test)]
mod tests;

use super::extract::Input;
use crate::domain::registration::{Line, SentLine};
use crate::error::{Faults, Partial, Result};
use crate::programme::Programme;

/// What is known of the customer and the model judges the rest.
impl Input for SentLine {
    type Parsed = Partial<Line>;

    fn parse(self, _: &Programme, faults: Faults) -> Result<Self::Parsed> {
        Ok(self.understand(faults))
    }
}
