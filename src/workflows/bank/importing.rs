//! Taking a statement in: a page that is on its way, its lines as they come, and what its balances make of it once all are there.

use std::collections::HashMap;

use chrono::TimeDelta;

use super::reading::Surveyed;
use super::{pages, rows};
use crate::domain::actor::Stamp;
use crate::domain::bank::{
    BankStatementId, Known, Line, StatementFormat, StatementState, StatementWhy,
};
use crate::domain::event::Event;
use crate::error::{Code, Result};
use crate::repository::bank_statements::{self as statements, BankStatement};
use crate::repository::bank_transactions::{self as lines, BankTransaction};
use crate::repository::{DbConn, Held, events};
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
    pub(super) account: String,
    /// Whether it goes on where the one before ended, so that its lines are new whatever they say.
    goes_on: bool,
    /// Behind which of its own lines they stand: it was stored before, and says more.
    pub(super) behind: i64,
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

/// Begins with a page, or goes on with one that was stored before; what never comes whole is forgotten after an hour.
pub fn begin(
    conn: &mut DbConn,
    context: &Context,
    stamp: &Stamp,
    (file_sha256, format): (&str, StatementFormat),
    read: &Surveyed,
) -> Result<Plan> {
    let by = (stamp.actor.to_string(), context.now);
    let new = rows::receiving(read, (file_sha256, format), by);
    let page = match statements::same(conn, &new)? {
        Some(stored) => stored,
        None => {
            statements::insert(conn, &new)?.or_contended()?;
            let due = context.now.plus(RECEIVED_WITHIN);
            let statement = new.id;
            let task = Task::ForgetStatement { statement, due };
            enqueue(conn, &task, due, context.now)?;
            new
        }
    };
    plan(conn, &page)
}

/// How the lines of a page would be stored; nothing is written.
pub fn rehearse(conn: &mut DbConn, context: &Context, read: &Surveyed) -> Result<(Plan, Imported)> {
    let by = (String::new(), context.now);
    let new = rows::receiving(read, ("", StatementFormat::Camt), by);
    let page = statements::same(conn, &new)?.unwrap_or(new);
    let plan = plan(conn, &page)?;
    let (state, _) = pages::proven(conn, context, &page, read)?;
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
        goes_on: pages::follows(conn, page)?,
        behind,
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
        .map(|(one, ordinal)| rows::new_line(plan, one, (ordinal, now, known.clone())))
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
    prove(conn, context, &mut page, (read, &counted))?;
    let imported = Event::BankStatementImported {
        bank_statement_id: page.id,
        state: page.state,
        lines_new: new,
        lines_seen: counted.lines_seen,
    };
    events::record(conn, stamp, &[imported])?;
    Ok(Imported {
        state: page.state,
        why: page.why,
        ..counted
    })
}

/// Makes a page, and with it the others of its statement, what their balances prove.
fn prove(
    conn: &mut DbConn,
    context: &Context,
    page: &mut Held<BankStatement>,
    (read, counted): (&Surveyed, &Imported),
) -> Result<()> {
    let (state, inverted) = pages::proven(conn, context, page, read)?;
    page.state = state;
    page.why = StatementWhy::of(state);
    page.reversals_inverted = inverted;
    page.booked_sum = read.sums.all.to_string();
    page.reversed_sum = read.sums.reversals.to_string();
    page.lines_new += counted.lines_new;
    page.lines_seen = counted.lines_seen;
    page.lines_pending = counted.lines_pending;
    statements::store(conn, page)?;
    have_matched(conn, context, page)?;
    match pages::is_paged(page) {
        true => bring_along(conn, context, page),
        false => Ok(()),
    }
}

/// The other pages stand as this one does.
fn bring_along(conn: &mut DbConn, context: &Context, page: &BankStatement) -> Result<()> {
    for other in statements::other_pages(conn, page)? {
        let held = statements::lock(conn, other.id)?;
        let is_other = |one: &Held<BankStatement>| one.state != page.state;
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
        statement: statement.id,
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
