//! Pages and runs of statements: whether one goes on where another ended, and what the balances of all pages together prove.

use rust_decimal::Decimal;

use super::reading::Surveyed;
use super::rows;
use crate::domain::bank::camt::Header;
use crate::domain::bank::{Before, Page, StatementState, goes_on, state};
use crate::error::Result;
use crate::repository::DbConn;
use crate::repository::bank_statements::{self as statements, BankStatement};
use crate::workflows::Context;

/// Whether a page goes on where the last stored statement ended, or is another page of one that is stored.
pub fn follows(conn: &mut DbConn, page: &BankStatement) -> Result<bool> {
    if !statements::other_pages(conn, page)?.is_empty() && is_paged(page) {
        return Ok(true);
    }
    let Some(before) = statements::before(conn, page)? else {
        return Ok(false);
    };
    let mut pages = statements::other_pages(conn, &before)?;
    pages.push(before);
    let closings = pages.iter().map(rows::header);
    let ended = closings.filter_map(|header| Some((header.sequence, header.closing?)));
    let next = rows::header(page);
    let goes_on_from = |(sequence, closing): (String, Decimal)| {
        let sequence = sequence.as_str();
        goes_on(Before { sequence, closing }, &next)
    };
    Ok(ended.into_iter().any(goes_on_from))
}

/// Whether it is one of several pages.
pub fn is_paged(page: &BankStatement) -> bool {
    page.page > 1 || !page.last_page
}

/// Where a page stands by the balances of all pages of its statement, and whether the reversals of all of them are to be turned round.
pub fn proven(
    conn: &mut DbConn,
    context: &Context,
    page: &BankStatement,
    read: &Surveyed,
) -> Result<(StatementState, bool)> {
    let others = match is_paged(page) {
        true => statements::other_pages(conn, page)?,
        false => Vec::new(),
    };
    let mut headers: Vec<Header> = others.iter().map(rows::header).collect();
    headers.push(read.header.clone());
    let sums = others.iter().map(rows::sums).collect::<Result<Vec<_>>>()?;
    let sums = sums.into_iter().chain([read.sums]);
    let pages: Vec<Page<'_>> = headers
        .iter()
        .zip(sums)
        .map(|(header, sums)| Page { header, sums })
        .collect();
    let iban: String = context.programme.seller.iban.split_whitespace().collect();
    Ok(state(&pages, &iban))
}
