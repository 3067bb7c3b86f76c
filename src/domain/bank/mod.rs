//! What banks write: statements, their lines, and how far a line is understood. Reading a file is in `camt`, deciding on a line in `matching`.

mod balance;
pub mod camt;
pub mod csv;
mod entry;
mod fingerprint;
mod known;
mod matching;
mod money_out;
mod references;
mod statement;

use serde::Deserialize;

use super::money::Amount;
use crate::types::{id, text_enum};
pub use balance::{Balance, Sums, balance};
pub use entry::{
    BadBankAmount, BankAmount, Detail, Entry, Line, Party, cents, entry_lines, turned_round,
};
pub use fingerprint::{fingerprint, number_repeats};
pub use known::{Clue, Known};
pub use matching::{Decision, Facts, Found, InvoiceFacts, decide, may_take_back};
pub use money_out::{FoundRefund, RefundFacts};
pub use references::{References, numbers_in, references_in};
pub use statement::{Before, Page, goes_on, state};

id!(
    /// The identity of a bank statement.
    BankStatementId, "bst_"
);

id!(
    /// The identity of one line of a bank statement.
    BankTransactionId, "btx_"
);

text_enum! {
    /// Where a statement stands.
    pub enum StatementState {
        /// Its lines are being stored.
        Receiving = "receiving",
        /// Its balances prove its lines.
        Booked = "booked",
        /// Its balances do not prove its lines: nothing of it is booked by itself.
        Held = "held",
        /// Pages of it are missing.
        Incomplete = "incomplete",
        /// It is of another account: nothing of it is booked.
        Foreign = "foreign",
    }
}

text_enum! {
    /// In which form a bank wrote a statement.
    pub enum StatementFormat {
        /// ISO 20022, camt.053.001.02 or .08.
        Camt = "camt.053",
        /// Rows with a balance each.
        Csv = "csv",
    }
}

text_enum! {
    /// Why a statement stands as it does.
    pub enum StatementWhy {
        /// Opening balance and lines are not the closing balance, or there is none of both.
        BalancesDiffer = "balances_differ",
        /// Pages of it are missing.
        PagesMissing = "pages_missing",
        /// It is of another account.
        NotOurAccount = "not_our_account",
        /// Somebody released it although its balances do not prove it.
        Released = "released",
    }
}

impl StatementWhy {
    /// Why a statement stands so by its balances alone; nothing where they prove it.
    pub fn of(state: StatementState) -> Option<Self> {
        match state {
            StatementState::Held => Some(Self::BalancesDiffer),
            StatementState::Incomplete => Some(Self::PagesMissing),
            StatementState::Foreign => Some(Self::NotOurAccount),
            StatementState::Receiving | StatementState::Booked => None,
        }
    }
}

text_enum! {
    /// Where a line stands.
    pub enum TransactionState {
        /// The bank has not booked it: no money yet.
        Pending = "pending",
        /// It was pending, and its booked line came.
        Superseded = "superseded",
        /// It waits for somebody.
        Open = "open",
        /// Payments were made of it.
        Matched = "matched",
        /// Somebody put it aside, with a reason.
        Ignored = "ignored",
        /// A later line took it back.
        Reversed = "reversed",
    }
}

text_enum! {
    /// What is known of a line that may tell whose it is, or why it is not booked by itself.
    pub enum BankEvidence {
        /// Its reference is that of exactly one invoice.
        ReferenceExact = "reference_exact",
        /// It bears something that looks like a reference, and no invoice has it.
        ReferenceNotKnown = "reference_not_known",
        /// The reference stands where the payer's bank keeps its own.
        ReferenceOnlyInEndToEndId = "reference_only_in_end_to_end_id",
        /// It bears several references.
        SeveralReferences = "several_references",
        /// The invoice is paid already.
        InvoicePaid = "invoice_paid",
        /// The invoice was taken back by a credit note.
        InvoiceCredited = "invoice_credited",
        /// Exactly so much is open.
        AmountExact = "amount_exact",
        /// It is less than is open.
        AmountShort = "amount_short",
        /// It is more than is open.
        AmountOver = "amount_over",
        /// What it names is in another currency.
        CurrencyDiffers = "currency_differs",
        /// An account has paid from there before.
        PayerKnown = "payer_known",
        /// An account has that name.
        PayerName = "payer_name",
        /// The text names an invoice or a member by number.
        NumberInText = "number_in_text",
        /// A bank kept a part.
        ChargesDeducted = "charges_deducted",
        /// The bank booked several payments as one and does not say which.
        BatchWithoutDetails = "batch_without_details",
        /// The money came to another account.
        NotOurAccount = "not_our_account",
        /// The balances of its statement do not prove it.
        StatementHeld = "statement_held",
        /// The money went out.
        MoneyOut = "money_out",
        /// Its reference is that of a refund.
        RefundReference = "refund_reference",
        /// The refund does not wait for it: another line paid it, or it failed.
        RefundNotToPay = "refund_not_to_pay",
        /// It takes an earlier line back.
        ReversalOf = "reversal_of",
        /// Its amount has a fraction of a cent.
        FractionOfACent = "fraction_of_a_cent",
        /// Nothing tells whose it is.
        NothingKnown = "nothing_known",
    }
}

/// Section `[bank]` of the programme.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BankRules {
    /// A payment that falls short by at most this is booked, and the difference written off.
    pub tolerance: Amount,
}
