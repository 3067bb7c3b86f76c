//! Charging a card: how a decline is taken. When a card is charged is in `invoice`, what is done where nothing was paid in `collection`.

use crate::types::{id, text_enum};

id!(
    /// The identity of one attempt to take money from a card.
    ChargeId, "chg_"
);

id!(
    /// The identity of the consent to charge a card.
    MandateId, "man_"
);

text_enum! {
    /// How a decline is taken.
    pub enum DeclineClass {
        /// It may go another day.
        Soft = "soft",
        /// It never goes with this card.
        Hard = "hard",
        /// The payer has to say yes at the bank.
        Authentication = "authentication",
        /// Whether money moved has to be asked.
        Unknown = "unknown",
    }
}

/// What an issuer will never approve; the card schemes fine whoever tries again.
const HARD: [&str; 28] = [
    "card_not_supported",
    "currency_not_supported",
    "do_not_try_again",
    "expired_card",
    "fraudulent",
    "highest_risk_level",
    "incorrect_cvc",
    "incorrect_number",
    "invalid_account",
    "invalid_cvc",
    "invalid_expiry_month",
    "invalid_expiry_year",
    "invalid_number",
    "lost_card",
    "merchant_blacklist",
    "new_account_information_available",
    "not_permitted",
    "offline_pin_required",
    "pickup_card",
    "pin_try_exceeded",
    "restricted_card",
    "revocation_of_all_authorizations",
    "revocation_of_authorization",
    "security_violation",
    "stolen_card",
    "stop_payment_order",
    "testmode_decline",
    "transaction_not_allowed",
];

/// How a decline with this code and this advice of the provider is taken; what is not listed may go another day.
pub fn class(code: Option<&str>, advice: Option<&str>) -> DeclineClass {
    let is_final = matches!(advice, Some("do_not_try_again" | "confirm_card_data"));
    match code {
        Some("authentication_required") => DeclineClass::Authentication,
        Some("duplicate_transaction") => DeclineClass::Unknown,
        Some(code) if HARD.contains(&code) => DeclineClass::Hard,
        _ if is_final => DeclineClass::Hard,
        _ => DeclineClass::Soft,
    }
}

/// Whether the holder or the issuer took the consent back with it, so that no other charge is made of it.
pub fn ends_mandate(code: &str) -> bool {
    code.starts_with("revocation_of_") || code == "stop_payment_order"
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn what_never_goes_is_told_from_what_may_go_another_day() {
        let vectors: Value =
            serde_json::from_str(include_str!("../../tests/vectors/money.json")).unwrap();
        for case in vectors["decline_class"].as_array().unwrap() {
            let class = class(case["code"].as_str(), case["advice"].as_str());
            assert_eq!(class.as_str(), case["class"], "{case}");
        }
        assert!(HARD.is_sorted());
        let ending = HARD.iter().filter(|code| ends_mandate(code)).count();
        assert_eq!(ending, 3);
    }
}
