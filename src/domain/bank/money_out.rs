//! Deciding on a line of money out: booked by itself only where it is exactly the money of one refund that waits for it.

use super::matching::{Decision, Facts};
use super::{BankEvidence, TransactionState};
use crate::domain::money::Currency;

/// What a decision needs of a refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefundFacts {
    /// It is to be paid, or somebody said that it was and no line has shown it yet.
    pub waits: bool,
    pub amount_cents: i64,
    pub currency: Currency,
}

/// The refunds that a line names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FoundRefund {
    Nothing,
    One(RefundFacts),
    Several,
}

impl FoundRefund {
    /// Of the refunds that there are, each of them once.
    pub fn of(refunds: &[RefundFacts]) -> Self {
        match refunds {
            [] => Self::Nothing,
            [one] => Self::One(*one),
            _ => Self::Several,
        }
    }
}

/// What comes of `cents` that went out, less than nothing.
pub(super) fn money_out(cents: i64, facts: &Facts<'_>) -> Decision {
    let waits = |evidence| Decision::waits(TransactionState::Open, evidence);
    let mut evidence = vec![BankEvidence::MoneyOut];
    let refund = match facts.refund {
        FoundRefund::Nothing => return waits(evidence),
        FoundRefund::One(refund) => Some(refund),
        FoundRefund::Several => None,
    };
    let proven = [
        (!facts.is_our_account, BankEvidence::NotOurAccount),
        (facts.is_held, BankEvidence::StatementHeld),
    ];
    let against = proven.into_iter().filter(|(is_so, _)| *is_so);
    evidence.extend(against.map(|(_, evidence)| evidence));
    let may_book = facts.is_our_account && !facts.is_held && !facts.line.is_reversal;
    let Some(refund) = refund else {
        evidence.push(BankEvidence::SeveralReferences);
        return waits(evidence);
    };
    let (fit, difference) = fit(cents, facts.line.currency, refund);
    evidence.extend([BankEvidence::RefundReference, fit]);
    let pays_refund = may_book && fit == BankEvidence::AmountExact;
    let state = match pays_refund {
        true => TransactionState::Matched,
        false => TransactionState::Open,
    };
    Decision {
        pays_refund,
        difference,
        ..Decision::waits(state, evidence)
    }
}

/// How money that went out fits a refund, and by how much it is short or over.
fn fit(cents: i64, currency: Currency, refund: RefundFacts) -> (BankEvidence, Option<i64>) {
    let missing = refund.amount_cents.saturating_add(cents);
    match missing {
        _ if refund.currency != currency => (BankEvidence::CurrencyDiffers, None),
        _ if !refund.waits => (BankEvidence::RefundNotToPay, None),
        0 => (BankEvidence::AmountExact, None),
        missing if missing > 0 => (BankEvidence::AmountShort, Some(missing)),
        missing => (BankEvidence::AmountOver, Some(missing.saturating_abs())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::bank::{Found, Line, decide};

    const REFUND: RefundFacts = RefundFacts {
        waits: true,
        amount_cents: 2000,
        currency: Currency::EUR,
    };

    /// What comes of a line in a statement that its balances prove, of our account.
    fn facts(line: &Line, refund: FoundRefund) -> Facts<'_> {
        Facts {
            line,
            found: Found::Nothing,
            refund,
            in_end_to_end_id: false,
            amount_exact: false,
            number_in_text: false,
            payer_known: false,
            payer_name: false,
            is_our_account: true,
            is_held: false,
            tolerance: 1000,
        }
    }

    #[test]
    fn exactly_the_money_of_a_refund_that_waits_pays_it() {
        let paid = Line::of_cents(-2000);
        let one = FoundRefund::of(&[REFUND]);
        let decision = decide(facts(&paid, one));
        assert!(decision.pays_refund && decision.book.is_none());
        assert_eq!(decision.state, TransactionState::Matched);
        for (unproven, evidence) in [
            (
                Facts {
                    is_held: true,
                    ..facts(&paid, one)
                },
                BankEvidence::StatementHeld,
            ),
            (
                Facts {
                    is_our_account: false,
                    ..facts(&paid, one)
                },
                BankEvidence::NotOurAccount,
            ),
        ] {
            let decision = decide(unproven);
            assert!(!decision.pays_refund && decision.evidence.contains(&evidence));
        }
        let back = Line {
            is_reversal: true,
            ..paid.clone()
        };
        assert!(!decide(facts(&back, one)).pays_refund);
    }

    #[test]
    fn money_out_that_fits_no_refund_waits_and_says_why() {
        let not = |cents: i64, refund: RefundFacts| {
            let line = Line::of_cents(cents);
            let decision = decide(facts(&line, FoundRefund::One(refund)));
            assert!(!decision.pays_refund && decision.state == TransactionState::Open);
            (decision.evidence.last().copied(), decision.difference)
        };
        assert_eq!(
            not(-1999, REFUND),
            (Some(BankEvidence::AmountShort), Some(1))
        );
        assert_eq!(
            not(-2001, REFUND),
            (Some(BankEvidence::AmountOver), Some(1))
        );
        let paid = RefundFacts {
            waits: false,
            ..REFUND
        };
        assert_eq!(not(-2000, paid), (Some(BankEvidence::RefundNotToPay), None));
        let kroner = RefundFacts {
            currency: Currency::DKK,
            ..REFUND
        };
        assert_eq!(
            not(-2000, kroner),
            (Some(BankEvidence::CurrencyDiffers), None)
        );
        let line = Line::of_cents(-2000);
        let several = decide(facts(&line, FoundRefund::of(&[REFUND, REFUND])));
        assert!(several.evidence.contains(&BankEvidence::SeveralReferences));
        let nothing = decide(facts(&line, FoundRefund::Nothing));
        assert_eq!(nothing.evidence, [BankEvidence::MoneyOut]);
    }
}
