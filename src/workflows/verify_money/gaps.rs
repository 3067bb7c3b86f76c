//! Whether each statement opens with what the one before closed with: where not, one between them may be missing. Nothing is wrong in what is stored then.

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate};

use crate::domain::bank::StatementState;
use crate::error::Result;
use crate::repository::DbConn;
use crate::repository::bank_statements::{self as statements, BankStatement};

/// How many statements are read at once.
const PAGE: i64 = 500;

/// Account and currency, year and number of a statement. Banks begin anew each year.
type Place = (String, String, Option<i32>, u64);

/// The ends of the statements of one number: the last page closes, the first one opens.
#[derive(Debug, Default)]
struct Ends {
    id: String,
    opening: Vec<String>,
    closing: Vec<String>,
}

/// Each place where a statement may be missing, in words.
pub(super) fn find(conn: &mut DbConn) -> Result<Vec<String>> {
    let (mut before, mut by_place) = (None, BTreeMap::new());
    loop {
        let page = statements::list(conn, before, PAGE)?;
        for one in &page {
            note(&mut by_place, one);
        }
        before = page.last().map(|last| last.id);
        if before.is_none() {
            return Ok(told(&by_place));
        }
    }
}

/// Notes how a booked page begins and ends; one without a number has no place.
fn note(by_place: &mut BTreeMap<Place, Ends>, page: &BankStatement) {
    let Ok(number) = page.sequence.parse::<u64>() else {
        return;
    };
    if page.state != StatementState::Booked {
        return;
    }
    let year = page.from_date.parse().ok();
    let year = year.map(|day: NaiveDate| day.year());
    let (account, currency) = (page.account.clone(), page.currency.clone());
    let ends = by_place.entry((account, currency, year, number));
    let ends = ends.or_default();
    if page.page == 1 {
        ends.id = page.id.to_string();
        ends.opening.push(page.opening.clone());
    }
    if page.last_page {
        ends.closing.push(page.closing.clone());
    }
}

fn told(by_place: &BTreeMap<Place, Ends>) -> Vec<String> {
    let next = by_place.iter().skip(1);
    let pairs = by_place.iter().zip(next);
    let gaps = pairs.filter(|((one, closed), (other, opened))| {
        let of_one = (&one.0, &one.1, one.2) == (&other.0, &other.1, other.2);
        of_one && is_gap(closed, opened)
    });
    gaps.map(|((_, closed), (_, opened))| {
        format!(
            "Warning: M8: {} opens with {}, and {} before it closes with {}",
            opened.id,
            opened.opening.join(" or "),
            closed.id,
            closed.closing.join(" or "),
        )
    })
    .collect()
}

/// Whether none of the statements of a number opens with what one of the number before closed with, where both say so.
fn is_gap(closed: &Ends, opened: &Ends) -> bool {
    let said = |balances: &[String]| balances.iter().all(|one| !one.is_empty());
    let is_said = said(&closed.closing) && said(&opened.opening);
    let meets = |closing: &String| opened.opening.contains(closing);
    let are_both = !closed.closing.is_empty() && !opened.opening.is_empty();
    is_said && are_both && !closed.closing.iter().any(meets)
}
