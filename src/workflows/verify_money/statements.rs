//! Whether bank statements that were booked add up: to their balances, and to their lines. A line's own amount is in `lines`.

use rust_decimal::Decimal;

use crate::domain::bank::{StatementState, StatementWhy};
use crate::error::Result;
use crate::repository::bank_statements::{self as statements, BankStatement};
use crate::repository::bank_transactions as lines;
use crate::repository::{DbConn, money_checks::Broken};

/// How many statements are read at once.
const PAGE: i64 = 500;

const BALANCES: &str = "M8: a booked statement comes to its closing balance";
const LINES: &str = "M8: a booked statement comes to its lines";

/// The amounts of a page, as they can be read.
struct Said {
    opening: Option<Decimal>,
    closing: Option<Decimal>,
    /// What its booked entries come to, its reversals turned round where the bank wrote them wrong.
    booked: Decimal,
    /// What those of them come to that take an earlier one back.
    reversed: Decimal,
}

/// The first statement that does not add up, and what it breaks.
pub(super) fn first_broken(conn: &mut DbConn) -> Result<Option<(&'static str, Broken)>> {
    let mut before = None;
    loop {
        let page = statements::list(conn, before, PAGE)?;
        for one in page
            .iter()
            .filter(|one| one.state == StatementState::Booked)
        {
            if let Some(row) = off_its_balances(conn, one)? {
                return Ok(Some((BALANCES, row)));
            }
            if let Some(row) = off_its_lines(conn, one)? {
                return Ok(Some((LINES, row)));
            }
        }
        before = page.last().map(|last| last.id);
        if before.is_none() {
            return Ok(None);
        }
    }
}

/// What a page says; the page itself where that is no amount.
fn said(page: &BankStatement) -> std::result::Result<Said, Broken> {
    let amount = |text: &str| {
        let read = Decimal::from_str_exact(text);
        read.map_err(|_| broken(page, text, "no amount"))
    };
    let balance = |text: &String| match text.as_str() {
        "" => Ok(None),
        text => amount(text).map(Some),
    };
    let (all, reversed) = (amount(&page.booked_sum)?, amount(&page.reversed_sum)?);
    let (booked, reversed) = match page.reversals_inverted {
        true => (all - reversed - reversed, -reversed),
        false => (all, reversed),
    };
    Ok(Said {
        opening: balance(&page.opening)?,
        closing: balance(&page.closing)?,
        booked,
        reversed,
    })
}

/// Asked once for all pages of a statement: of the last one. One that finance released need not add up.
fn off_its_balances(conn: &mut DbConn, last: &BankStatement) -> Result<Option<Broken>> {
    if !last.last_page || last.why == Some(StatementWhy::Released) {
        return Ok(None);
    }
    let mut pages = statements::other_pages(conn, last)?;
    pages.push(last.clone());
    pages.sort_by_key(|page| page.page);
    let pages: std::result::Result<Vec<Said>, Broken> = pages.iter().map(said).collect();
    let pages = match pages {
        Ok(pages) => pages,
        Err(row) => return Ok(Some(row)),
    };
    let opening = pages.iter().find_map(|page| page.opening);
    let closing = pages.iter().rev().find_map(|page| page.closing);
    let Some((opening, closing)) = opening.zip(closing) else {
        let row = broken(last, "a balance at one end only", "no proof");
        return Ok(Some(row));
    };
    let comes_to = pages.iter().fold(opening, |sum, page| sum + page.booked);
    Ok((comes_to != closing).then(|| broken(last, closing, comes_to)))
}

/// Where each of its lines came with it, and none is in parts of a cent.
fn off_its_lines(conn: &mut DbConn, page: &BankStatement) -> Result<Option<Broken>> {
    let said = match said(page) {
        Ok(said) => said,
        Err(row) => return Ok(Some(row)),
    };
    let is_whole = |amount: Decimal| amount == amount.round_dp(2);
    if page.lines_seen > 0 || !is_whole(said.booked) || !is_whole(said.reversed) {
        return Ok(None);
    }
    let Some((booked, reversed)) = lines::booked_cents(conn, page.id)? else {
        return Ok(None);
    };
    let pairs = [(said.booked, booked), (said.reversed, reversed)];
    let pairs = pairs.map(|(says, cents)| (says, Decimal::new(cents, 2)));
    let off = pairs.iter().find(|(says, comes_to)| says != comes_to);
    Ok(off.map(|(says, comes_to)| broken(page, says, comes_to)))
}

fn broken(page: &BankStatement, says: impl ToString, comes_to: impl ToString) -> Broken {
    Broken {
        id: page.id.to_string(),
        says: says.to_string(),
        comes_to: comes_to.to_string(),
    }
}
