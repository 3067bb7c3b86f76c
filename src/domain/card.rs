//! Payment cards: what is known of one, and when it comes with a payment method. Its number is never here.

use chrono::NaiveDate;

use super::invoice::{PaymentMethod, card_expires_too_early};
use crate::error::{Code, Fault, FaultCode, Refusal};
use crate::types::id;

id!(
    /// The identity of a stored card.
    CardId, "car_"
);

/// A card that the payment provider keeps, under its token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Card {
    /// What the provider knows it by.
    pub provider_token: String,
    /// Visa, Mastercard, ...
    pub brand: String,
    /// The last four digits of its number.
    pub last4: String,
    /// It is valid to the end of a month of this year.
    pub expires_year: i32,
    /// That month, 1 to 12.
    pub expires_month: u32,
}

impl Card {
    /// Whether it can still be charged on `due`: `card_expires_too_early`, with the field that named it.
    pub fn check_lives_until(&self, due: NaiveDate) -> Result<(), Refusal> {
        if card_expires_too_early(self.expires_year, self.expires_month, due) {
            let fault = Fault::new("#/card_token", FaultCode::CardExpiresTooEarly);
            Err(Refusal::from(Code::CardExpiresTooEarly).faults(vec![fault]))
        } else {
            Ok(())
        }
    }
}

/// A card's token comes with payment by card, and only with it.
pub fn check_token(method: PaymentMethod, token: Option<&str>) -> Result<(), FaultCode> {
    match (method, token) {
        (PaymentMethod::Card, None) => Err(FaultCode::CardTokenRequired),
        (PaymentMethod::BankTransfer, Some(_)) => Err(FaultCode::CardTokenUnexpected),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_comes_with_payment_by_card_only() {
        let (card, bank) = (PaymentMethod::Card, PaymentMethod::BankTransfer);
        assert_eq!(check_token(card, Some("tok")), Ok(()));
        assert_eq!(check_token(bank, None), Ok(()));
        assert_eq!(check_token(card, None), Err(FaultCode::CardTokenRequired));
        assert_eq!(
            check_token(bank, Some("tok")),
            Err(FaultCode::CardTokenUnexpected)
        );
    }

    #[test]
    fn a_card_that_ends_before_the_due_date_is_told_with_its_field() {
        let card = Card {
            provider_token: "tok".to_owned(),
            brand: "Visa".to_owned(),
            last4: "4242".to_owned(),
            expires_year: 2026,
            expires_month: 6,
        };
        assert!(
            card.check_lives_until("2026-06-30".parse().unwrap())
                .is_ok()
        );
        let refusal = card
            .check_lives_until("2026-07-01".parse().unwrap())
            .unwrap_err();
        assert_eq!(refusal.code, Code::CardExpiresTooEarly);
        assert_eq!(refusal.faults[0].pointer, "#/card_token");
    }
}
