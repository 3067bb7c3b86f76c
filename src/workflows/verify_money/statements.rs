//! Whether bank statements that were booked add up: to their balances, and to their lines.

use rust_decimal::Decimal;

use crate::domain::bank::{StatementState, StatementWhy};
use crate::error::{Error, Result};
use crate::repository::bank_statements::{self as statements, BankStatement};
use crate::repository::bank_transactions as lines;
use crate::repository::{DbConn, money_checks::Broken};

/// How many statements are read at once.
const PAGE: i64 = 500;

const BALANCES: &str = "M8: a booked statement comes to its closing balance";
const LINES: &str = "M8: a booked statement comes to its lines";

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

fn decimal(text: &str) -> Result<Decimal> {
    Decimal::from_str_exact(text).map_err(Error::internal("reading a balance"))
}

/// What the booked entries of a page come to, its reversals turned round where the bank wrote them wrong.
fn booked(page: &BankStatement) -> Result<Decimal> {
    let (all, reversed) = (decimal(&page.booked_sum)?, decimal(&page.reversed_sum)?);
    Ok(match page.reversals_inverted {
        true => all - reversed - reversed,
        false => all,
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
    let opening = pages.iter().find(|page| !page.opening.is_empty());
    let closing = pages.iter().rev().find(|page| !page.closing.is_empty());
    let Some((opening, closing)) = opening.zip(closing) else {
        return Ok(None);
    };
    let mut comes_to = decimal(&opening.opening)?;
    for page in &pages {
        comes_to += booked(page)?;
    }
    let is_off = comes_to != decimal(&closing.closing)?;
    Ok(is_off.then(|| broken(last, &closing.closing, comes_to)))
}

/// Where each of its lines came with it, and none is in parts of a cent.
fn off_its_lines(conn: &mut DbConn, page: &BankStatement) -> Result<Option<Broken>> {
    let booked = booked(page)?;
    let is_whole = booked == booked.round_dp(2);
    if page.lines_seen > 0 || !is_whole {
        return Ok(None);
    }
    let Some(cents) = lines::booked_cents(conn, page.id)? else {
        return Ok(None);
    };
    let comes_to = Decimal::new(cents, 2);
    Ok((comes_to != booked).then(|| broken(page, &booked.to_string(), comes_to)))
}

fn broken(page: &BankStatement, says: &str, comes_to: Decimal) -> Broken {
    Broken {
        id: page.id.to_string(),
        says: says.to_owned(),
        comes_to: comes_to.to_string(),
    }
}
