//! Statements one after another: pages of one, one that goes on where the last ended, and what is made of each.

use rust_decimal::Decimal;

use super::camt::Header;
use super::{Balance, StatementState, Sums, balance};

/// One page with what its booked entries come to.
#[derive(Debug, Clone, Copy)]
pub struct Page<'a> {
    pub header: &'a Header,
    pub sums: Sums,
}

/// Where a statement of these pages stands, all of one message and statement in any order; and whether its reversals are to be turned round.
pub fn state(pages: &[Page<'_>], our_account: &str) -> (StatementState, bool) {
    let is_ours = |page: &Page<'_>| page.header.account == our_account;
    if !pages.iter().all(is_ours) {
        return (StatementState::Foreign, false);
    }
    if !are_all(pages) {
        let state = match pages
            .iter()
            .all(|page| proof(&[*page]) == Some(Balance::Booked))
        {
            // A message of several statements numbers its pages too, and each is whole.
            true => StatementState::Booked,
            false => StatementState::Incomplete,
        };
        return (state, false);
    }
    match proof(pages) {
        Some(Balance::Booked) => (StatementState::Booked, false),
        Some(Balance::Inverted) => (StatementState::Booked, true),
        Some(Balance::Held) | None => (StatementState::Held, false),
    }
}

/// Whether each page up to the last one is there.
fn are_all(pages: &[Page<'_>]) -> bool {
    let last = pages.iter().find(|page| page.header.is_last_page);
    let has = |number: u32| pages.iter().any(|page| page.header.page == number);
    last.is_some_and(|last| (1..=last.header.page).all(has))
}

/// What the balances say of all pages together; nothing where one of them is missing.
fn proof(pages: &[Page<'_>]) -> Option<Balance> {
    let mut by_number: Vec<&Page<'_>> = pages.iter().collect();
    by_number.sort_by_key(|page| page.header.page);
    let mut sums = by_number.iter().map(|page| page.sums);
    let sums = sums.try_fold(Sums::default(), Sums::and)?;
    let opening = by_number.iter().find_map(|page| page.header.opening)?;
    let closing = by_number
        .iter()
        .rev()
        .find_map(|page| page.header.closing)?;
    Some(balance(opening, sums, closing))
}

/// What is stored of the last statement of an account.
#[derive(Debug, Clone, Copy)]
pub struct Before<'a> {
    pub sequence: &'a str,
    pub closing: Decimal,
}

/// Whether a statement goes on where the one before ended, so that its lines are new whatever they say: it opens with that balance and has the next number.
/// Any other may say again what was said.
pub fn goes_on(before: Before<'_>, next: &Header) -> bool {
    let number = |text: &str| text.parse::<u64>().ok();
    let follows = match (number(before.sequence), number(&next.sequence)) {
        (Some(before), Some(next)) => before.checked_add(1) == Some(next),
        _ => false,
    };
    follows && next.opening == Some(before.closing)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(number: u32, is_last_page: bool) -> Header {
        Header {
            account: "NL13TEST0123456789".to_owned(),
            sequence: "356".to_owned(),
            page: number,
            is_last_page,
            opening: Some(Decimal::new(1000, 0)),
            closing: Some(Decimal::new(1703, 0)),
            ..Header::default()
        }
    }

    fn came(whole: i64) -> Sums {
        let amount = Decimal::new(whole, 0);
        Sums::default().plus(amount, false).unwrap()
    }

    const OURS: &str = "NL13TEST0123456789";

    #[test]
    fn a_statement_of_two_pages_is_whole_once_both_are_there() {
        let (first, second) = (page(1, false), page(2, true));
        let first = Page {
            header: &first,
            sums: came(351),
        };
        let second = Page {
            header: &second,
            sums: came(352),
        };
        let incomplete = (StatementState::Incomplete, false);
        assert_eq!(state(&[first], OURS), incomplete);
        assert_eq!(state(&[second], OURS), incomplete);
        let booked = (StatementState::Booked, false);
        assert_eq!(state(&[first, second], OURS), booked);
        assert_eq!(state(&[second, first], OURS), booked);
        let torn = Page {
            sums: came(1),
            ..first
        };
        let held = (StatementState::Held, false);
        assert_eq!(state(&[torn, second], OURS), held);
        let foreign = (StatementState::Foreign, false);
        assert_eq!(state(&[first, second], "NL02ABNA0123456789"), foreign);
    }

    #[test]
    fn a_page_that_its_own_balances_prove_is_whole() {
        let second = page(2, true);
        let whole = Page {
            header: &second,
            sums: came(703),
        };
        assert_eq!(state(&[whole], OURS), (StatementState::Booked, false));
    }

    #[test]
    fn without_a_closing_balance_nothing_is_proven() {
        let header = Header {
            closing: None,
            ..page(1, true)
        };
        let only = Page {
            header: &header,
            sums: came(703),
        };
        assert_eq!(state(&[only], OURS), (StatementState::Held, false));
    }

    #[test]
    fn reversals_the_wrong_way_round_are_turned() {
        let header = page(1, true);
        let sums = came(803).plus(Decimal::new(50, 0), true).unwrap();
        let only = Page {
            header: &header,
            sums,
        };
        assert_eq!(state(&[only], OURS).0, StatementState::Held);
        let sums = came(753).plus(Decimal::new(50, 0), true).unwrap();
        let only = Page { sums, ..only };
        assert_eq!(state(&[only], OURS), (StatementState::Booked, true));
    }

    #[test]
    fn a_statement_goes_on_with_the_balance_and_the_number_of_the_last() {
        let before = |sequence, closing: i64| Before {
            sequence,
            closing: Decimal::new(closing, 0),
        };
        let next = page(1, true);
        assert!(goes_on(before("355", 1000), &next));
        assert!(!goes_on(before("355", 1001), &next));
        assert!(!goes_on(before("354", 1000), &next));
        assert!(!goes_on(before("", 1000), &next));
    }
}
