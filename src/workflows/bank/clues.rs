//! What is known of a line that is not booked by itself: whose it may be, and in which words of the contract that is told.

use crate::domain::account::AccountId;
use crate::domain::bank::{BankEvidence, Clue, Decision, Known, Line, numbers_in};
use crate::domain::money::Amount;
use crate::error::Result;
use crate::repository::DbConn;
use crate::repository::bank_lookups::{self as lookups, Payable};
use crate::repository::bank_transactions::BankTransaction;

/// What was found beside the references of a line.
#[derive(Debug, Clone, Default)]
pub struct Clues {
    /// The references of the refunds that it names.
    refunds: Vec<String>,
    /// Open invoices with exactly so much open.
    pub of_amount: Vec<Payable>,
    /// The numbers of invoices and members in its texts.
    pub numbers: Vec<String>,
    /// Accounts that were paid for from that bank account.
    pub paid_from: Vec<AccountId>,
    /// Accounts with the payer's name.
    pub of_name: Vec<AccountId>,
    /// The invoices that any of it leads to, the likeliest first.
    invoices: Vec<Payable>,
}

impl Clues {
    /// With the references of the refunds that the line names.
    pub fn and_refunds(self, refunds: Vec<String>) -> Self {
        Self { refunds, ..self }
    }
}

/// Looks for whose a line may be; nothing where no money came in.
pub fn look(conn: &mut DbConn, line: &Line) -> Result<Clues> {
    let Some(cents) = line.cents.filter(|cents| *cents > 0) else {
        return Ok(Clues::default());
    };
    let of_amount = lookups::with_open(conn, cents, line.currency)?;
    let (of_numbers, members) = numbered(conn, line)?;
    let paid_from = match &line.payer.account {
        Some(account) => lookups::paid_from(conn, account)?,
        None => Vec::new(),
    };
    let of_name = match &line.payer.name {
        Some(name) => lookups::named(conn, name)?,
        None => Vec::new(),
    };
    let numbers = of_numbers.iter().map(|invoice| invoice.number.clone());
    let numbers = numbers.chain(members.iter().map(|(number, _)| number.clone()));
    let numbers = numbers.collect();
    let likely = members.iter().map(|(_, account)| *account);
    let likely: Vec<AccountId> = likely
        .chain(paid_from.clone())
        .chain(of_name.clone())
        .collect();
    let mut invoices = of_numbers;
    if !likely.is_empty() {
        invoices.extend(lookups::open_of(conn, &likely)?);
    }
    invoices.extend(of_amount.iter().cloned());
    Ok(Clues {
        refunds: Vec::new(),
        of_amount,
        numbers,
        paid_from,
        of_name,
        invoices,
    })
}

/// The number of a member, and whose it is.
type Numbered = (String, AccountId);

/// The invoices and the members whose numbers stand in what the payer wrote.
fn numbered(conn: &mut DbConn, line: &Line) -> Result<(Vec<Payable>, Vec<Numbered>)> {
    let texts = line.reference.iter().chain(&line.texts);
    let words = numbers_in(&texts.cloned().collect::<Vec<_>>());
    if words.is_empty() {
        return Ok((Vec::new(), Vec::new()));
    }
    let invoices = lookups::with_numbers(conn, &words)?;
    Ok((invoices, lookups::members(conn, &words)?))
}

/// A decision in the words of the contract, with the invoices that the line names or may be for.
pub fn told(
    decision: &Decision,
    (row, clues): (&BankTransaction, &Clues),
    named: &[&Payable],
) -> Known {
    let value = |evidence: BankEvidence| value(evidence, decision, (row, clues), named);
    let told = decision.evidence.iter().map(|evidence| Clue {
        code: *evidence,
        value: value(*evidence),
    });
    let invoices = named.iter().map(|invoice| invoice.id);
    let found = clues.invoices.iter().map(|invoice| invoice.id);
    Known::new(told.collect(), invoices.chain(found))
}

/// What a piece of evidence is about.
fn value(
    evidence: BankEvidence,
    decision: &Decision,
    (row, clues): (&BankTransaction, &Clues),
    named: &[&Payable],
) -> Option<String> {
    let numbers = || {
        let numbers: Vec<&str> = named.iter().map(|one| one.number.as_str()).collect();
        Some(numbers.join(", ")).filter(|numbers| !numbers.is_empty())
    };
    match evidence {
        BankEvidence::ReferenceExact => named.first()?.payment_reference.clone(),
        BankEvidence::RefundReference => clues.refunds.first().cloned(),
        BankEvidence::SeveralReferences if !clues.refunds.is_empty() && named.is_empty() => {
            Some(clues.refunds.join(", "))
        }
        BankEvidence::SeveralReferences
        | BankEvidence::InvoicePaid
        | BankEvidence::InvoiceCredited => numbers(),
        BankEvidence::ReferenceNotKnown => row.reference.clone(),
        BankEvidence::ReferenceOnlyInEndToEndId => row.end_to_end_id.clone(),
        BankEvidence::AmountShort | BankEvidence::AmountOver => {
            decision.difference.map(|cents| Amount(cents).to_string())
        }
        BankEvidence::CurrencyDiffers => Some(named.first()?.currency.to_string()),
        BankEvidence::NumberInText => Some(clues.numbers.join(", ")),
        BankEvidence::PayerKnown => row.payer_account.clone(),
        BankEvidence::PayerName => row.payer_name.clone(),
        BankEvidence::FractionOfACent => Some(row.amount_text.clone()),
        BankEvidence::NotOurAccount => Some(row.account.clone()),
        BankEvidence::AmountExact
        | BankEvidence::ChargesDeducted
        | BankEvidence::BatchWithoutDetails
        | BankEvidence::StatementHeld
        | BankEvidence::MoneyOut
        | BankEvidence::RefundNotToPay
        | BankEvidence::ReversalOf
        | BankEvidence::NothingKnown => None,
    }
}
