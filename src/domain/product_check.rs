//! What staff decide on a product whose serial number is in doubt.

use super::values::Field;
use crate::error::{Fault, FaultCode, Faults};
use crate::types::text_enum;

text_enum! {
    /// The decision on the serial number of a product.
    pub enum CheckDecision {
        /// It is the product's: a guess is none any more, and a held product is let go.
        Confirm = "confirm",
        /// It is another one, which staff give.
        Correct = "correct",
        /// It is not the customer's: the registration ends.
        Reject = "reject",
    }
}

/// A decision that has all it needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProductCheck {
    Confirm,
    /// With the right serial number, as typed.
    Correct(String),
    Reject,
}

impl ProductCheck {
    /// Reads a decision as it was sent: correcting needs the serial number, nothing else has one. Nothing where it could not be read, which
    /// `faults` tells already.
    pub fn read(
        decision: CheckDecision,
        serial_number: Field<String>,
        faults: &mut Faults,
    ) -> Option<Self> {
        let fault = |code| Fault::new("#/serial_number", code);
        match (decision, serial_number.optional()?) {
            (CheckDecision::Confirm, None) => Some(Self::Confirm),
            (CheckDecision::Reject, None) => Some(Self::Reject),
            (CheckDecision::Correct, Some(serial_number)) => Some(Self::Correct(serial_number)),
            (CheckDecision::Correct, None) => {
                faults.push(fault(FaultCode::Required));
                None
            }
            (CheckDecision::Confirm | CheckDecision::Reject, Some(_)) => {
                faults.push(fault(FaultCode::Unknown));
                None
            }
        }
    }

    /// Its word.
    pub fn decision(&self) -> CheckDecision {
        match self {
            Self::Confirm => CheckDecision::Confirm,
            Self::Correct(_) => CheckDecision::Correct,
            Self::Reject => CheckDecision::Reject,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(decision: CheckDecision, number: Field<String>) -> Result<ProductCheck, Faults> {
        let mut faults = Faults::default();
        ProductCheck::read(decision, number, &mut faults).ok_or(faults)
    }

    #[test]
    fn a_correction_alone_has_a_serial_number() {
        let number = || Field::Read("012021001234".to_owned());
        for decision in CheckDecision::ALL {
            let is_correction = *decision == CheckDecision::Correct;
            for (sent, is_sent) in [(number(), true), (Field::Absent, false)] {
                match read(*decision, sent) {
                    Ok(check) => {
                        assert_eq!(is_sent, is_correction, "{decision}");
                        assert_eq!(check.decision(), *decision);
                    }
                    Err(faults) => {
                        assert_ne!(is_sent, is_correction, "{decision}");
                        assert!(!faults.is_empty());
                    }
                }
            }
        }
    }

    #[test]
    fn nothing_is_said_of_a_number_that_could_not_be_read() {
        let refused = read(CheckDecision::Correct, Field::Refused).unwrap_err();
        assert!(refused.is_empty());
    }
}
