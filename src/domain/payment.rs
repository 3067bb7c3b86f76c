//! Money that came, where it was placed and what went back: identities and states. How it is placed is in `allocation`.

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
