//! Deciding on a line: booked by itself only where reference, currency and amount are those of exactly one open invoice; else what is known of it.

use super::money_out::{FoundRefund, money_out};
use super::references::{References, references_in};
use super::{BankEvidence, Line, TransactionState};
use crate::domain::invoice::InvoiceStatus;
use crate::domain::money::Currency;

/// What a decision needs of an invoice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvoiceFacts {
    pub status: InvoiceStatus,
    pub open_cents: i64,
    pub currency: Currency,
}

/// What the references of a line lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// It bears none.
    Nothing,
    /// It bears something that no invoice has.
    Unknown,
    One(InvoiceFacts),
    Several,
}

impl Found {
    /// What the invoices that bear a reference of the line make of it, each of them once.
    pub fn of(references: &References, invoices: &[InvoiceFacts]) -> Self {
        match invoices {
            [one] => Self::One(*one),
            [] if references.is_meant => Self::Unknown,
            [] => Self::Nothing,
            _ => Self::Several,
        }
    }
}

/// What is known of a line beside itself.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    pub line: &'a Line,
    pub found: Found,
    /// The refunds that it names.
    pub refund: FoundRefund,
    /// An invoice has the reference that stands in the end-to-end id.
    pub in_end_to_end_id: bool,
    /// An open invoice has exactly so much open, in the line's currency.
    pub amount_exact: bool,
    pub number_in_text: bool,
    pub payer_known: bool,
    pub payer_name: bool,
    pub is_our_account: bool,
    /// The balances of the statement do not prove it.
    pub is_held: bool,
    /// A shortfall of so many cents is written off.
    pub tolerance: i64,
}

/// What comes of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    pub state: TransactionState,
    /// So much is placed on the one invoice found; nothing where somebody has to look.
    pub book: Option<i64>,
    /// So much of the invoice is written off.
    pub written_off: i64,
    /// Whether it is the money of the one refund found.
    pub pays_refund: bool,
    pub evidence: Vec<BankEvidence>,
    /// By how much it is short or over.
    pub difference: Option<i64>,
}

impl Decision {
    pub(super) fn waits(state: TransactionState, evidence: Vec<BankEvidence>) -> Self {
        Self {
            state,
            book: None,
            written_off: 0,
            pays_refund: false,
            evidence,
            difference: None,
        }
    }
}

/// Whether a line is booked by itself, and what is known of it where not.
pub fn decide(facts: Facts<'_>) -> Decision {
    let line = facts.line;
    if !line.is_booked {
        return Decision::waits(TransactionState::Pending, Vec::new());
    }
    let cents = match line.cents {
        None => {
            return Decision::waits(TransactionState::Open, vec![BankEvidence::FractionOfACent]);
        }
        Some(cents) if cents <= 0 => return money_out(cents, &facts),
        Some(cents) => cents,
    };
    let mut evidence = Vec::new();
    let mut note = |is_so: bool, one: BankEvidence| evidence.extend(Some(one).filter(|_| is_so));
    note(!facts.is_our_account, BankEvidence::NotOurAccount);
    note(facts.is_held, BankEvidence::StatementHeld);
    // What takes money out back is no payment of an invoice, whatever it names.
    let may_book = facts.is_our_account && !facts.is_held && !line.is_reversal;
    let fit = match facts.found {
        Found::One(invoice) => Some(fit(cents, line.currency, invoice)),
        _ => None,
    };
    evidence.extend(found_evidence(facts, fit));
    evidence.extend(other_evidence(facts));
    if evidence.is_empty() {
        evidence.push(BankEvidence::NothingKnown);
    }
    settle(cents, fit, may_book, facts.tolerance, evidence)
}

/// How an amount fits what an invoice has open: what speaks of it, and what is missing where that is all that is.
#[derive(Debug, Clone, Copy)]
struct Fit {
    evidence: BankEvidence,
    /// Cents that the invoice has open beyond the amount; nothing where they cannot be compared.
    missing: Option<i64>,
}

fn fit(cents: i64, currency: Currency, invoice: InvoiceFacts) -> Fit {
    let missing = invoice.open_cents.saturating_sub(cents);
    let not = |evidence| Fit {
        evidence,
        missing: None,
    };
    let fits = |evidence| Fit {
        evidence,
        missing: Some(missing),
    };
    match invoice.status {
        _ if invoice.currency != currency => not(BankEvidence::CurrencyDiffers),
        InvoiceStatus::Paid => not(BankEvidence::InvoicePaid),
        InvoiceStatus::Credited => not(BankEvidence::InvoiceCredited),
        InvoiceStatus::Open if missing == 0 => fits(BankEvidence::AmountExact),
        InvoiceStatus::Open if missing > 0 => fits(BankEvidence::AmountShort),
        InvoiceStatus::Open => fits(BankEvidence::AmountOver),
    }
}

/// What the references say.
fn found_evidence(facts: Facts<'_>, fit: Option<Fit>) -> Vec<BankEvidence> {
    let mut evidence = match facts.found {
        Found::Several => return vec![BankEvidence::SeveralReferences],
        Found::One(_) => {
            let fit = fit.map(|fit| fit.evidence);
            return std::iter::once(BankEvidence::ReferenceExact)
                .chain(fit)
                .collect();
        }
        Found::Unknown => vec![BankEvidence::ReferenceNotKnown],
        Found::Nothing => Vec::new(),
    };
    if facts.in_end_to_end_id {
        evidence.push(BankEvidence::ReferenceOnlyInEndToEndId);
    }
    if facts.amount_exact {
        evidence.push(BankEvidence::AmountExact);
    }
    evidence
}

/// What else speaks of a line.
fn other_evidence(facts: Facts<'_>) -> Vec<BankEvidence> {
    let all = [
        (
            facts.refund != FoundRefund::Nothing,
            BankEvidence::RefundReference,
        ),
        (facts.number_in_text, BankEvidence::NumberInText),
        (facts.payer_known, BankEvidence::PayerKnown),
        (facts.payer_name, BankEvidence::PayerName),
        (facts.line.has_charges, BankEvidence::ChargesDeducted),
        (facts.line.is_batch, BankEvidence::BatchWithoutDetails),
    ];
    let known = all.into_iter().filter(|(is_so, _)| *is_so);
    known.map(|(_, evidence)| evidence).collect()
}

fn settle(
    cents: i64,
    fit: Option<Fit>,
    may_book: bool,
    tolerance: i64,
    evidence: Vec<BankEvidence>,
) -> Decision {
    let missing = fit.and_then(|fit| fit.missing);
    match missing {
        Some(missing) if may_book && (0..=tolerance.max(0)).contains(&missing) => Decision {
            state: TransactionState::Matched,
            book: Some(cents),
            written_off: missing,
            pays_refund: false,
            evidence,
            difference: None,
        },
        _ => Decision {
            difference: missing.map(i64::abs).filter(|difference| *difference > 0),
            ..Decision::waits(TransactionState::Open, evidence)
        },
    }
}

/// Whether a reversal may take an earlier line back: one with its reference, amount and currency. It does where there is no other.
pub fn may_take_back(reversal: &Line, earlier: &Line, creditor: Option<&str>) -> bool {
    let amount = reversal.cents.filter(|_| reversal.is_reversal);
    amount.is_some_and(|amount| earlier.cents == amount.checked_neg())
        && earlier.currency == reversal.currency
        && !earlier.is_reversal
        && same_reference(earlier, reversal, creditor)
}

/// Whether two lines bear a reference that is the same, however each of them is written and whatever stands around it.
fn same_reference(line: &Line, reversal: &Line, creditor: Option<&str>) -> bool {
    let one = references_in(line, creditor);
    let other = references_in(reversal, creditor);
    let share = |one: &[String], other: &[String]| one.iter().any(|text| other.contains(text));
    share(&one.rf, &other.rf)
        || share(&one.fi71, &other.fi71)
        || one.refunds.iter().any(|id| other.refunds.contains(id))
        || (line.reference.is_some() && line.reference == reversal.reference)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rust_decimal::Decimal;
    use serde_json::{Value, json};

    use super::*;
    use crate::domain::bank::numbers_in;
    use crate::domain::money::Amount;

    fn vectors() -> Value {
        let all: Value =
            serde_json::from_str(include_str!("../../../tests/vectors/money.json")).unwrap();
        all["matching"].clone()
    }

    fn cents(value: &Value) -> Option<i64> {
        value.as_str().map(|text| text.parse::<Amount>().unwrap().0)
    }

    fn line(cents: Option<i64>, texts: &[&str]) -> Line {
        Line {
            amount: cents.map_or(Decimal::new(5, 3), |cents| Decimal::new(cents, 2)),
            cents,
            texts: texts.iter().map(ToString::to_string).collect(),
            ..Line::of_cents(0)
        }
    }

    /// The invoices of the vectors, each behind its reference and its number.
    fn invoices(vectors: &Value) -> Vec<(String, String, InvoiceFacts)> {
        let invoices = vectors["invoices"].as_array().unwrap().iter();
        let read = invoices.map(|one| {
            let reference = one["reference"].as_str().unwrap().to_owned();
            let (year, seq) = reference[7..].split_at(4);
            let facts = InvoiceFacts {
                status: one["status"].as_str().unwrap().parse().unwrap(),
                open_cents: cents(&one["open"]).unwrap(),
                currency: one["currency"].as_str().unwrap().parse().unwrap(),
            };
            (reference.clone(), format!("CPS-{year}-{seq}"), facts)
        });
        read.collect()
    }

    fn of_case(case: &Value) -> Line {
        let texts = case["texts"].as_array().unwrap().iter();
        let texts: Vec<&str> = texts.map(|text| text.as_str().unwrap()).collect();
        Line {
            currency: case["currency"].as_str().unwrap().parse().unwrap(),
            is_booked: case["status"] != "PDNG",
            end_to_end_id: case["end_to_end"].as_str().map(str::to_owned),
            ..line(cents(&case["amount"]), &texts)
        }
    }

    #[test]
    fn a_line_is_booked_only_where_exactly_one_invoice_fits() {
        let vectors = vectors();
        let invoices = invoices(&vectors);
        for case in vectors["cases"].as_array().unwrap() {
            let line = of_case(case);
            let references = references_in(&line, None);
            let borne: Vec<InvoiceFacts> = invoices
                .iter()
                .filter(|(reference, ..)| references.rf.contains(reference))
                .map(|(.., facts)| *facts)
                .collect();
            let numbers = numbers_in(&line.texts);
            let exact = |facts: &InvoiceFacts| {
                facts.currency == line.currency && Some(facts.open_cents) == line.cents
            };
            let decision = decide(Facts {
                line: &line,
                found: Found::of(&references, &borne),
                refund: FoundRefund::Nothing,
                in_end_to_end_id: invoices
                    .iter()
                    .any(|(reference, ..)| references.end_to_end.contains(reference)),
                amount_exact: invoices.iter().any(|(.., facts)| exact(facts)),
                number_in_text: invoices
                    .iter()
                    .any(|(_, number, _)| numbers.contains(number)),
                payer_known: false,
                payer_name: false,
                is_our_account: case["account"].is_null(),
                is_held: case["held"] == true,
                tolerance: cents(&case["tolerance"]).unwrap_or(0),
            });
            let mut made = json!({"state": decision.state, "evidence": decision.evidence});
            if let Some(book) = decision.book {
                made["book"] = json!(Amount(book));
            }
            if decision.written_off > 0 {
                made["written_off"] = json!(Amount(decision.written_off));
            }
            if let Some(difference) = decision.difference {
                made["difference"] = json!(Amount(difference));
            }
            assert_eq!(made, case["decision"], "{case}");
        }
    }

    #[test]
    fn the_field_for_the_reference_goes_before_what_the_payer_wrote() {
        let mut line = line(Some(1), &["RF55CPS2026000001"]);
        line.reference = Some("RF28CPS2026000002".to_owned());
        assert_eq!(references_in(&line, None).rf, ["RF28CPS2026000002"]);
        line.reference = Some("something".to_owned());
        let references = references_in(&line, None);
        assert!(references.rf.is_empty() && references.is_meant);
        assert_eq!(Found::of(&references, &[]), Found::Unknown);
        line.reference = Some("+71<000020260000011+81234567<".to_owned());
        assert!(references_in(&line, None).fi71.is_empty());
        let danish = references_in(&line, Some("81234567"));
        assert_eq!(danish.fi71, ["000020260000011"]);
    }

    #[test]
    fn a_number_is_a_word_of_its_own() {
        let texts = ["Faktura CPS-2026-000001, medl. 12345674; xCPS-2026-000001".to_owned()];
        let expected = ["12345674", "CPS-2026-000001", "XCPS-2026-000001"];
        assert_eq!(numbers_in(&texts), expected);
        assert!(numbers_in(&["on 2026-1 at 10.15".to_owned()]).is_empty());
    }

    #[test]
    fn a_reversal_takes_back_the_one_line_that_it_is_of() {
        let paid = line(Some(35000), &["RF55CPS2026000001"]);
        let mut back = line(Some(-35000), &["RF55 CPS2 0260 0000 1"]);
        assert!(!may_take_back(&back, &paid, None), "it is no reversal");
        back.is_reversal = true;
        assert!(may_take_back(&back, &paid, None));
        let glued = line(Some(35000), &["RF55CPS2026000001MTONDK74"]);
        assert!(may_take_back(&back, &glued, None), "whatever is behind it");
        let other = line(Some(35000), &["other"]);
        assert!(!may_take_back(&back, &other, None));
        let less = line(Some(34999), &["RF55CPS2026000001"]);
        assert!(!may_take_back(&back, &less, None));
        let danish = |text| Line {
            is_reversal: true,
            ..line(Some(-35000), &[text])
        };
        let paid = line(Some(35000), &["+71<000020260000011+81234567<"]);
        let back = danish("71#000020260000011");
        assert!(may_take_back(&back, &paid, Some("81234567")));
        assert!(!may_take_back(&back, &paid, None));
    }

    #[test]
    fn a_reversal_that_comes_in_pays_no_invoice() {
        let back = Line {
            is_reversal: true,
            ..line(Some(35000), &["RF55CPS2026000001"])
        };
        let invoice = InvoiceFacts {
            status: InvoiceStatus::Open,
            open_cents: 35000,
            currency: Currency::EUR,
        };
        let facts = |line| Facts {
            line,
            found: Found::One(invoice),
            refund: FoundRefund::Nothing,
            in_end_to_end_id: false,
            amount_exact: true,
            number_in_text: false,
            payer_known: false,
            payer_name: false,
            is_our_account: true,
            is_held: false,
            tolerance: 0,
        };
        assert_eq!(decide(facts(&back)).state, TransactionState::Open);
        let paid = Line {
            is_reversal: false,
            ..back.clone()
        };
        assert_eq!(decide(facts(&paid)).state, TransactionState::Matched);
    }

    proptest! {
        #[test]
        fn only_an_exact_payment_of_one_open_invoice_books(cents in -10i64..50, open in 0i64..50, tolerance in -1i64..5, status in 0usize..3, held in any::<bool>(), ours in any::<bool>(), is_euro in any::<bool>(), several in any::<bool>()) {
            let status = InvoiceStatus::ALL[status];
            let currency = if is_euro { Currency::EUR } else { Currency::DKK };
            let invoice = InvoiceFacts { status, open_cents: open, currency };
            let line = line(Some(cents), &["RF55CPS2026000001"]);
            let found = if several { Found::Several } else { Found::One(invoice) };
            let decision = decide(Facts {
                line: &line,
                found,
                refund: FoundRefund::Nothing,
                in_end_to_end_id: true,
                amount_exact: true,
                number_in_text: true,
                payer_known: true,
                payer_name: true,
                is_our_account: ours,
                is_held: held,
                tolerance,
            });
            let short = open - cents;
            let fits = !several && status == InvoiceStatus::Open && is_euro && cents > 0
                && (short == 0 || (0..=tolerance).contains(&short));
            let books = fits && ours && !held;
            prop_assert_eq!(decision.book.is_some(), books);
            prop_assert_eq!(decision.state == TransactionState::Matched, books);
            if books {
                prop_assert_eq!(decision.book.unwrap() + decision.written_off, open);
            }
            prop_assert!(!decision.evidence.is_empty());
        }
    }
}
