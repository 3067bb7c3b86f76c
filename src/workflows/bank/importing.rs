//! Taking a statement in: a page that is on its way, its lines as they come, and what its balances make of it once all are there.

use std::collections::HashMap;

use chrono::TimeDelta;
use rust_decimal::Decimal;

use super::reading::Surveyed;
use super::rows;
use crate::domain::actor::Stamp;
use crate::domain::bank::camt::Header;
use crate::domain::bank::{
    BankStatementId, BankTransactionId, Before, Known, Line, Page, StatementFormat, StatementState,
    StatementWhy, TransactionState, goes_on, state,
};
use crate::domain::event::Event;
use crate::error::{Code, Result};
use crate::repository::bank_statements::{self as statements, BankStatement};
use crate::repository::bank_transactions::{self as lines, BankTransaction};
use crate::repository::{DbConn, events};
use crate::types::{Instant, Json};
use crate::workflows::Context;
use crate::workflows::tasks::{Task, enqueue};

/// How long a statement may be on its way.
const RECEIVED_WITHIN: TimeDelta = TimeDelta::hours(1);

/// A line that was read.
#[derive(Debug, Clone)]
pub struct NewLine {
    pub position: i64,
    /// Which one of its like in its statement it is, from 0 on.
    pub nth: i64,
    pub fingerprint: String,
    pub line: Line,
}

/// How the lines of a page are stored.
#[derive(Debug, Clone)]
pub struct Plan {
    pub id: BankStatementId,
    account: String,
    /// Whether it goes on where the one before ended, so that its lines are new whatever they say.
    goes_on: bool,
    /// Behind which of its own lines they stand: it was stored before, and says more.
    behind: i64,
}

/// What became of a statement.
#[derive(Debug, Clone)]
pub struct Imported {
    /// None where nothing was stored.
    pub id: Option<BankStatementId>,
    pub state: StatementState,
    pub why: Option<StatementWhy>,
    pub lines_new: i64,
    pub lines_seen: i64,
    pub lines_pending: i64,
}

impl Imported {
    /// What is stored of it.
    pub fn of(statement: &BankStatement) -> Self {
        Self {
            id: Some(statement.id),
            state: statement.state,
            why: statement.why,
            lines_new: statement.lines_new,
            lines_seen: statement.lines_seen,
            lines_pending: statement.lines_pending,
        }
    }
}

/// What became of a file of so many statements that came before and was stored whole.
pub fn known_file(
    conn: &mut DbConn,
    file_sha256: &str,
    statements: usize,
) -> Result<Option<Vec<Imported>>> {
    let stored = statements::of_file(conn, file_sha256)?;
    let is_whole = |one: &BankStatement| one.state != StatementState::Receiving;
    let are_all = stored.len() == statements && stored.iter().all(is_whole);
    Ok(are_all.then(|| stored.iter().map(Imported::of).collect()))
}

fn text(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

fn exact(amount: Option<Decimal>) -> String {
    text(amount.map(|amount| amount.normalize()))
}

/// The row of a page whose lines may come.
fn receiving(
    read: &Surveyed,
    (file_sha256, format): (&str, StatementFormat),
    (actor, now): (String, Instant),
) -> BankStatement {
    let header = &read.header;
    BankStatement {
        id: BankStatementId::new(now),
        version: 1,
        file_sha256: file_sha256.to_owned(),
        format,
        message_id: header.message_id.clone(),
        statement_ref: header.statement_ref.clone(),
        sequence: header.sequence.clone(),
        page: i64::from(header.page.max(1)),
        last_page: header.is_last_page,
        account: header.account.clone(),
        currency: text(header.currency),
        from_date: text(header.from),
        to_date: text(header.to),
        opening: exact(header.opening),
        closing: exact(header.closing),
        state: StatementState::Receiving,
        why: None,
        reversals_inverted: false,
        booked_sum: read.sums.all.to_string(),
        reversed_sum: read.sums.reversals.to_string(),
        lines_new: 0,
        lines_seen: 0,
        lines_pending: 0,
        imported_by: actor,
        created_at: now,
    }
}

/// Begins with a page, or goes on with one that was stored before; what never comes whole is forgotten after an hour.
pub fn begin(
    conn: &mut DbConn,
    context: &Context,
    stamp: &Stamp,
    (file_sha256, format): (&str, StatementFormat),
    read: &Surveyed,
) -> Result<Plan> {
    let by = (stamp.actor.to_string(), context.now);
    let new = receiving(read, (file_sha256, format), by);
    let page = match statements::same(conn, &new)? {
        Some(stored) => stored,
        None => {
            statements::insert(conn, &new)?.or_contended()?;
            let due = context.now.plus(RECEIVED_WITHIN);
            let statement_id = new.id;
            let task = Task::ForgetStatement { statement_id, due };
            enqueue(conn, &task, due, context.now)?;
            new
        }
    };
    plan(conn, &page)
}

/// How the lines of a page would be stored; nothing is written.
pub fn rehearse(conn: &mut DbConn, context: &Context, read: &Surveyed) -> Result<(Plan, Imported)> {
    let by = (String::new(), context.now);
    let new = receiving(read, ("", StatementFormat::Camt), by);
    let page = statements::same(conn, &new)?.unwrap_or(new);
    let plan = plan(conn, &page)?;
    let (state, _) = proven(conn, context, &page, read)?;
    let imported = Imported {
        id: None,
        state,
        why: StatementWhy::of(state),
        lines_new: read.lines,
        lines_seen: 0,
        lines_pending: read.pending,
    };
    Ok((plan, imported))
}

fn plan(conn: &mut DbConn, page: &BankStatement) -> Result<Plan> {
    let behind = match page.state {
        StatementState::Receiving => 0,
        _ => lines::count(conn, page.id)?,
    };
    Ok(Plan {
        id: page.id,
        account: page.account.clone(),
        goes_on: follows(conn, page)?,
        behind,
    })
}

/// Whether a page goes on where the last stored statement ended, or is another page of one that is stored.
fn follows(conn: &mut DbConn, page: &BankStatement) -> Result<bool> {
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

fn is_paged(page: &BankStatement) -> bool {
    page.page > 1 || !page.last_page
}

/// Where a page stands by the balances of all pages of its statement, and whether its reversals are to be turned round. Those of pages that are stored
/// stay as they are: a statement of several pages that is right only so is held.
fn proven(
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
    Ok(match state(&pages, &iban) {
        (StatementState::Booked, true) if !others.is_empty() => (StatementState::Held, false),
        proven => proven,
    })
}

/// What the lines are told by beside their fingerprints: how many of their like there are before them.
fn ordinals(conn: &mut DbConn, plan: &Plan, new: &[NewLine]) -> Result<Vec<i64>> {
    let place = (plan.account.as_str(), plan.id);
    let mut fingerprints: Vec<String> = new.iter().map(|one| one.fingerprint.clone()).collect();
    fingerprints.sort();
    fingerprints.dedup();
    let (mut before, mut own) = (HashMap::new(), HashMap::new());
    if plan.goes_on {
        before = lines::count_like(conn, place, &fingerprints)?;
        own = lines::first_like(conn, place, &fingerprints)?;
    }
    let base = |like: &String| own.get(like).or(before.get(like)).copied().unwrap_or(0);
    Ok(new
        .iter()
        .map(|one| base(&one.fingerprint) + one.nth)
        .collect())
}

/// Stores lines of a page; those that were seen before stay as they are. How many are new.
pub fn take_in(conn: &mut DbConn, plan: &Plan, now: Instant, new: &[NewLine]) -> Result<i64> {
    let ordinals = ordinals(conn, plan, new)?;
    let known = Json::of(&Known::default())?;
    let pairs = new.iter().zip(ordinals);
    let rows: Vec<BankTransaction> = pairs
        .map(|(one, ordinal)| row(plan, one, (ordinal, now, known.clone())))
        .collect::<Result<_>>()?;
    let inserted = lines::insert(conn, &rows)?;
    Ok(i64::try_from(inserted).unwrap_or(i64::MAX))
}

/// How many of these lines were seen before.
pub fn count_seen(conn: &mut DbConn, plan: &Plan, new: &[NewLine]) -> Result<i64> {
    let ordinals = ordinals(conn, plan, new)?;
    let asked = new.iter().map(|one| one.fingerprint.clone()).zip(ordinals);
    lines::count_known(conn, &plan.account, &asked.collect::<Vec<_>>())
}

fn row(
    plan: &Plan,
    new: &NewLine,
    (ordinal, now, known): (i64, Instant, Json),
) -> Result<BankTransaction> {
    let line = new.line.clone();
    Ok(BankTransaction {
        id: BankTransactionId::new(now),
        statement_id: plan.id,
        version: 1,
        position: plan.behind + new.position,
        account: plan.account.clone(),
        state: match line.is_booked {
            true => TransactionState::Open,
            false => TransactionState::Pending,
        },
        amount_cents: line.cents,
        amount_text: line.amount.normalize().to_string(),
        currency: line.currency,
        booking_date: line.booking_date,
        value_date: line.value_date,
        bank_reference: line.bank_reference,
        end_to_end_id: line.end_to_end_id,
        reference: line.reference,
        texts: Json::of(&line.texts)?,
        payer_name: line.payer.name,
        payer_account: line.payer.account,
        is_reversal: line.is_reversal,
        has_charges: line.has_charges,
        is_batch: line.is_batch,
        fingerprint: new.fingerprint.clone(),
        ordinal,
        evidence: known,
        reason: None,
        created_at: now,
    })
}

/// Makes a page whose lines are all there what its balances prove, and has its lines matched, with those of its other pages.
pub fn finish(
    conn: &mut DbConn,
    context: &Context,
    stamp: &Stamp,
    (plan, read): (&Plan, &Surveyed),
    inserted: i64,
) -> Result<Imported> {
    let mut page = statements::lock(conn, plan.id)?.ok_or(Code::Overloaded)?;
    let is_new = page.state == StatementState::Receiving;
    let new = match is_new {
        true => lines::count(conn, plan.id)?,
        false => inserted,
    };
    let counted = Imported {
        lines_new: new,
        lines_seen: read.lines - new,
        lines_pending: read.pending,
        ..Imported::of(&page)
    };
    if !is_new && new == 0 {
        return Ok(counted);
    }
    let (state, inverted) = proven(conn, context, &page, read)?;
    page.state = state;
    page.why = StatementWhy::of(state);
    page.reversals_inverted = inverted;
    page.booked_sum = read.sums.all.to_string();
    page.reversed_sum = read.sums.reversals.to_string();
    page.lines_new += new;
    page.lines_seen = counted.lines_seen;
    page.lines_pending = counted.lines_pending;
    statements::store(conn, &mut page)?;
    have_matched(conn, context, &page)?;
    if is_paged(&page) {
        bring_along(conn, context, &page)?;
    }
    let imported = Event::BankStatementImported {
        bank_statement_id: page.id,
        state,
        lines_new: new,
        lines_seen: counted.lines_seen,
    };
    events::record(conn, stamp, &[imported])?;
    Ok(Imported {
        state,
        why: page.why,
        ..counted
    })
}

/// The other pages stand as this one does.
fn bring_along(conn: &mut DbConn, context: &Context, page: &BankStatement) -> Result<()> {
    for other in statements::other_pages(conn, page)? {
        let held = statements::lock(conn, other.id)?;
        let is_other = |one: &crate::repository::Held<BankStatement>| one.state != page.state;
        if let Some(mut other) = held.filter(is_other) {
            other.state = page.state;
            other.why = page.why;
            statements::store(conn, &mut other)?;
            have_matched(conn, context, &other)?;
        }
    }
    Ok(())
}

/// Has the lines of a statement matched that nobody has decided on.
pub fn have_matched(conn: &mut DbConn, context: &Context, statement: &BankStatement) -> Result<()> {
    let task = Task::MatchStatement {
        statement_id: statement.id,
        version: statement.version,
    };
    enqueue(conn, &task, context.now, context.now)
}

/// Forgets a statement that never came whole.
pub fn forget_broken(conn: &mut DbConn, id: BankStatementId) -> Result<()> {
    match statements::lock(conn, id)? {
        Some(page) if page.state == StatementState::Receiving => statements::forget(conn, page),
        _ => Ok(()),
    }
}
