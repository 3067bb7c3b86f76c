//! Taking a statement in: a page that is on its way, its lines as they come, and what its balances make of it once all are there.

use std::collections::HashMap;

use chrono::TimeDelta;

use super::proving::prove;
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
    pub(super) account: String,
    /// Whether it goes on where the one before ended, so that its lines are new whatever they say.
    goes_on: bool,
    /// Behind which of its own lines they stand: it was stored before, and says more.
    pub(super) behind: i64,
}

/// What became of beginning with a page.
#[derive(Debug, Clone)]
pub enum Begun {
    /// Its lines may come.
    Ready(Plan),
    /// Another one of its account is on its way; so many lines of that one are there.
    Behind(BankStatementId, i64),
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

/// Begins with a page, or goes on with one that was stored before; what never comes whole is forgotten after an hour. One of an account comes after the
/// other: lines of a page that may still be forgotten are not seen before.
pub fn begin(
    conn: &mut DbConn,
    context: &Context,
    stamp: &Stamp,
    (file_sha256, format): (&str, StatementFormat),
    read: &Surveyed,
) -> Result<Begun> {
    let by = (stamp.actor.to_string(), context.now);
    let new = rows::receiving(read, (file_sha256, format), by);
    let stored = statements::same(conn, &new)?;
    let own = stored.as_ref().map(|page| page.id);
    let other = statements::on_its_way(conn, &new.account)?;
    if let Some(other) = other.filter(|other| Some(*other) != own) {
        return Ok(Begun::Behind(other, lines::count(conn, other)?));
    }
    let page = match stored {
        Some(stored) => of_message(conn, stored, &new.message_id)?,
        None => {
            statements::insert(conn, &new)?.or_contended()?;
            let due = context.now.plus(RECEIVED_WITHIN);
            let statement = new.id;
            let task = Task::ForgetStatement { statement, due };
            enqueue(conn, &task, due, context.now)?;
            new
        }
    };
    Ok(Begun::Ready(plan(conn, &page)?))
}

/// A page that waits for others, as one of the message in which it came again: the others come in that one.
fn of_message(conn: &mut DbConn, stored: BankStatement, message_id: &str) -> Result<BankStatement> {
    if stored.state != StatementState::Incomplete || stored.message_id == message_id {
        return Ok(stored);
    }
    let mut page = statements::lock(conn, stored.id)?.ok_or(Code::Overloaded)?;
    page.message_id = message_id.to_owned();
    statements::store(conn, &mut page)?;
    Ok(page.into_row())
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

/// Stores lines of a page; those that were seen before stay as they are. Not yet where another page of its account is on its way, of which lines may be
/// seen that are forgotten then: whether they are stored. Refused where the page itself was forgotten meanwhile.
pub fn take_in(conn: &mut DbConn, plan: &Plan, now: Instant, new: &[NewLine]) -> Result<bool> {
    let page = statements::lock(conn, plan.id)?.ok_or(Code::Overloaded)?;
    let other = statements::on_its_way(conn, &plan.account)?;
    if other.is_some_and(|other| other != page.id) {
        return Ok(false);
    }
    let ordinals = ordinals(conn, plan, new)?;
    let known = Json::of(&Known::default())?;
    let pairs = new.iter().zip(ordinals);
    let rows: Vec<BankTransaction> = pairs
        .map(|(one, ordinal)| rows::new_line(plan, one, (ordinal, now, known.clone())))
        .collect::<Result<_>>()?;
    lines::insert(conn, &rows)?;
    Ok(true)
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
) -> Result<Imported> {
    let mut page = statements::lock(conn, plan.id)?.ok_or(Code::Overloaded)?;
    let is_new = page.state == StatementState::Receiving;
    let new = lines::count(conn, plan.id)? - page.lines_new;
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

/// Forgets a statement that came no further than this many lines: whoever sent it has left it.
pub fn forget_left(conn: &mut DbConn, (id, lines): (BankStatementId, i64)) -> Result<()> {
    match lines::count(conn, id)? == lines {
        true => forget_broken(conn, id),
        false => Ok(()),
    }
}

/// Forgets a statement that never came whole.
pub fn forget_broken(conn: &mut DbConn, id: BankStatementId) -> Result<()> {
    match statements::lock(conn, id)? {
        Some(page) if page.state == StatementState::Receiving => statements::forget(conn, page),
        _ => Ok(()),
    }
}
