//! Money that came, where it was placed and what went back: identities and states. How it is placed is in `allocation`.

use uuid::Uuid;

use crate::error::Code;
use crate::types::{id, text_enum};

id!(
    /// The identity of cents that were placed on an invoice.
    AllocationId, "alc_"
);

id!(
    /// The identity of money that goes back.
    RefundId, "rfn_"
);

text_enum! {
    /// How money goes back.
    pub enum RefundKind {
        /// To the card that it came from.
        Card = "card",
        /// To the account that it came from, by hand.
        BankTransfer = "bank_transfer",
        /// The bank of the card's holder took it.
        Dispute = "dispute",
        /// The bank took a transfer back.
        BankReversal = "bank_reversal",
    }
}

text_enum! {
    /// Where money that goes back stands.
    pub enum RefundState {
        /// Somebody has to pay it at the bank.
        ToPay = "to_pay",
        /// The provider is being told.
        Sending = "sending",
        /// The provider has not said whether it took it.
        Unknown = "unknown",
        /// It went; an issuer may still send it back.
        Succeeded = "succeeded",
        /// It did not go, or came back: the cents are open again.
        Failed = "failed",
    }
}

/// What a transfer that pays a refund is told by: 35 letters and digits, as many as a bank takes for an end-to-end reference.
pub fn refund_reference(id: RefundId) -> String {
    let digits = id.uuid().simple().to_string();
    format!("RFN{}", digits.to_uppercase())
}

/// The refunds whose references stand in what somebody wrote: letters and digits alone are looked at, all texts joined, since banks break them anywhere.
/// One counts only where there is such a refund.
pub fn refunds_in<T: AsRef<str>>(texts: &[T]) -> Vec<RefundId> {
    const DIGITS: usize = 32;
    let characters = texts.iter().flat_map(|text| text.as_ref().chars());
    let written: String = characters
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_uppercase())
        .collect();
    let pieces = written.match_indices("RFN").filter_map(|(at, mark)| {
        let digits = written.get(at + mark.len()..)?.get(..DIGITS)?;
        Some(RefundId::from(Uuid::try_parse(digits).ok()?))
    });
    let mut found: Vec<RefundId> = pieces.collect();
    found.sort();
    found.dedup();
    found
}

/// The end of an account number, by which its owner tells it and nobody else can use it: four characters.
pub fn account_end(account: &str) -> String {
    let written: Vec<char> = account.chars().filter(|c| !c.is_whitespace()).collect();
    let end = written.iter().rev().take(4).rev();
    end.collect()
}

/// Of a payment, what decides whether some of it may go back.
#[derive(Debug, Clone, Copy)]
pub struct Refundable {
    /// Neither on an invoice nor on its way back; nothing of a payment that is another account's after all.
    pub open_cents: i64,
    pub is_disputed: bool,
}

/// Whether `cents` of a payment may go back: `payment_in_dispute`, `refund_exceeds_payment`.
pub fn check_refund(cents: i64, payment: Refundable) -> Result<(), Code> {
    match payment.is_disputed {
        true => Err(Code::PaymentInDispute),
        false if cents <= payment.open_cents => Ok(()),
        false => Err(Code::RefundExceedsPayment),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_goes_back_than_is_open() {
        let of = |is_disputed| Refundable {
            open_cents: 100,
            is_disputed,
        };
        assert_eq!(check_refund(100, of(false)), Ok(()));
        let exceeds = Err(Code::RefundExceedsPayment);
        assert_eq!(check_refund(101, of(false)), exceeds);
        let disputed = Err(Code::PaymentInDispute);
        assert_eq!(check_refund(1, of(true)), disputed);
    }

    #[test]
    fn of_an_account_number_its_end_is_told() {
        assert_eq!(account_end("DK50 0040 0440 1162 43"), "6243");
        assert_eq!(account_end("123"), "123");
    }

    #[test]
    fn a_refund_is_found_by_its_reference_however_it_is_written() {
        let id = RefundId::new("2026-11-26T12:00:00Z".parse().unwrap());
        let reference = refund_reference(id);
        let (begin, end) = reference.split_at(17);
        let spaced = format!("Retur {begin} {}", end.to_lowercase());
        assert_eq!(refunds_in(&[spaced]), [id]);
        let broken = [begin, end, "0123 tak", &reference];
        assert_eq!(refunds_in(&broken), [id]);
        assert!(refunds_in(&[begin]).is_empty());
        assert!(refunds_in(&["RFN", "Ørsted og mange andre, der venter på svar"]).is_empty());
    }

    #[test]
    fn a_bank_takes_the_reference_of_a_refund() {
        let id = RefundId::new("2026-11-26T12:00:00Z".parse().unwrap());
        let reference = refund_reference(id);
        assert_eq!(reference.len(), 35);
        assert!(
            reference
                .bytes()
                .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
        );
    }
}
