//! Offers of dealers: what keeps one from being accepted. Whose a serial number is stands in `product`.

use super::product::{Contest, Holder, ProductStatus, contest};
use crate::types::{Instant, text_enum};

text_enum! {
    /// What keeps an offer from being accepted.
    pub enum Blocked {
        /// Another account has registered the serial number, and keeps it.
        SerialAlreadyRegistered = "serial_already_registered",
        /// The account has registered it itself, and staff have to look at that registration first.
        ProductDisputed = "product_disputed",
    }
}

/// What keeps an offer from being accepted whose serial number somebody has. A dealer's number is no guess.
pub fn blocked(holder: Holder, now: Instant, reserve_days: u32) -> Option<Blocked> {
    match contest(holder, false, now, reserve_days) {
        Contest::HolderKeeps => Some(Blocked::SerialAlreadyRegistered),
        Contest::SameAccount if holder.status == ProductStatus::Disputed => {
            Some(Blocked::ProductDisputed)
        }
        Contest::SameAccount | Contest::HolderFallsBack => None,
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn an_offer_is_blocked_by_who_does_not_have_to_give_the_number_up() {
        let now: Instant = "2026-06-01T12:00:00Z".parse().unwrap();
        let holder = Holder {
            same_account: false,
            status: ProductStatus::Complete,
            serial_estimated: false,
            checked: false,
            serial_since: now,
        };
        let by = |holder| blocked(holder, now, 30);
        assert_eq!(by(holder), Some(Blocked::SerialAlreadyRegistered));
        let disputed = Holder {
            status: ProductStatus::Disputed,
            ..holder
        };
        assert_eq!(by(disputed), Some(Blocked::SerialAlreadyRegistered));
        let guess = Holder {
            serial_estimated: true,
            ..holder
        };
        assert_eq!(by(guess), None);
        let incomplete = Holder {
            status: ProductStatus::Incomplete,
            ..holder
        };
        assert_eq!(by(incomplete), Some(Blocked::SerialAlreadyRegistered));
        let long_ago = Holder {
            serial_since: now.plus(TimeDelta::days(-30)),
            ..incomplete
        };
        assert_eq!(by(long_ago), None);
        let own = |holder| Holder {
            same_account: true,
            ..holder
        };
        assert_eq!(by(own(holder)), None);
        assert_eq!(by(own(disputed)), Some(Blocked::ProductDisputed));
    }
}
