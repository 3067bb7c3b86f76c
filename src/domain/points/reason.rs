//! Why an entry of the ledger was made, in a word.

use super::EntryKind;
use crate::domain::product::EndReason;
use crate::types::text_enum;

text_enum! {
    /// Why an entry was made.
    pub enum PointsReason {
        /// The product got its green tick.
        Complete = "complete",
        /// It lost the tick.
        Incomplete = "incomplete",
        /// Its serial number went to a registration with a better right to it.
        SerialNumberLost = "serial_number_lost",
        /// It was sold.
        Sold = "sold",
        /// It was scrapped.
        Scrapped = "scrapped",
        /// It was stolen.
        Stolen = "stolen",
        /// It was registered by mistake.
        Mistake = "mistake",
        /// The dealer took the product back.
        Returned = "returned",
        /// The customer declined what a dealer offered.
        Declined = "declined",
        /// It is not the customer's.
        NotMine = "not_mine",
        /// A dealer's offer ran out.
        Expired = "expired",
        /// Staff took the serial number away.
        Rejected = "rejected",
        /// It was offered, and registered already.
        Merged = "merged",
        /// Staff gave or took points, and say why in their own words.
        Adjustment = "adjustment",
    }
}

impl PointsReason {
    /// Why an entry of this kind was made that has this reason; what staff wrote is no word of ours, even where it reads as one.
    pub fn of(kind: EntryKind, reason: &str) -> Self {
        match (kind, reason.parse()) {
            (EntryKind::Adjustment, _) => Self::Adjustment,
            (_, Ok(known)) => known,
            (EntryKind::Reversal, Err(_)) => Self::Incomplete,
            (_, Err(_)) => Self::Complete,
        }
    }
}

impl From<EndReason> for PointsReason {
    fn from(reason: EndReason) -> Self {
        match reason {
            EndReason::Sold => Self::Sold,
            EndReason::Scrapped => Self::Scrapped,
            EndReason::Stolen => Self::Stolen,
            EndReason::Mistake => Self::Mistake,
            EndReason::Returned => Self::Returned,
            EndReason::Declined => Self::Declined,
            EndReason::NotMine => Self::NotMine,
            EndReason::Expired => Self::Expired,
            EndReason::Rejected => Self::Rejected,
            EndReason::Merged => Self::Merged,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_says_why_and_what_staff_wrote_is_their_own() {
        for end in EndReason::ALL {
            assert_eq!(PointsReason::from(*end).as_str(), end.as_str());
        }
        for reason in PointsReason::ALL {
            assert_eq!(
                PointsReason::of(EntryKind::Reversal, reason.as_str()),
                *reason
            );
        }
        let written = PointsReason::of(EntryKind::Adjustment, "complete");
        assert_eq!(written, PointsReason::Adjustment);
    }
}
