//! What its balances make of a statement, or finance, and what that means for its lines: they are matched, with those of its other pages.

use super::importing::Imported;
use super::pages::{is_paged, proven};
use super::reading::Surveyed;
use crate::domain::access::StaffAccess;
use crate::domain::bank::{BankStatementId, StatementState, StatementWhy};
use crate::domain::event::Event;
use crate::error::{Code, Result};
use crate::repository::bank_statements::{self as statements, BankStatement};
use crate::repository::bank_transactions as lines;
use crate::repository::{DbConn, Held, events};
use crate::workflows::Context;
use crate::workflows::tasks::{Task, enqueue};

/// Makes a page, and with it the others of its statement, what their balances prove.
pub(super) fn prove(
    conn: &mut DbConn,
    context: &Context,
    page: &mut Held<BankStatement>,
    (read, counted): (&Surveyed, &Imported),
) -> Result<()> {
    let (state, inverted) = proven(conn, context, page, read)?;
    page.state = state;
    page.why = StatementWhy::of(state);
    page.reversals_inverted = inverted;
    page.booked_sum = read.sums.all.to_string();
    page.reversed_sum = read.sums.reversals.to_string();
    page.lines_new += counted.lines_new;
    page.lines_seen = counted.lines_seen;
    page.lines_pending = counted.lines_pending;
    statements::store(conn, page)?;
    if is_paged(page) {
        if inverted {
            lines::turn_reversals_round(conn, page.id)?;
        }
        bring_along(conn, context, page)?;
    }
    have_matched(conn, context, page)
}

/// The other pages stand as this one does.
fn bring_along(conn: &mut DbConn, context: &Context, page: &BankStatement) -> Result<()> {
    for other in statements::other_pages(conn, page)? {
        let held = statements::lock(conn, other.id)?;
        let is_other = |one: &Held<BankStatement>| one.state != page.state;
        if let Some(mut other) = held.filter(is_other) {
            other.state = page.state;
            other.why = page.why;
            other.message_id = page.message_id.clone();
            if page.reversals_inverted && !other.reversals_inverted {
                other.reversals_inverted = true;
                lines::turn_reversals_round(conn, other.id)?;
            }
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

/// Has the lines of a held statement booked as if its balances proved them.
pub fn release(
    conn: &mut DbConn,
    context: &Context,
    staff: &StaffAccess,
    (id, reason): (BankStatementId, &str),
) -> Result<BankStatement> {
    let mut statement = statements::lock(conn, id)?.ok_or(Code::NotFound)?;
    if statement.state != StatementState::Held {
        return Err(Code::StatementNotHeld.into());
    }
    statement.state = StatementState::Booked;
    statement.why = Some(StatementWhy::Released);
    statements::store(conn, &mut statement)?;
    have_matched(conn, context, &statement)?;
    if is_paged(&statement) {
        bring_along(conn, context, &statement)?;
    }
    let released = Event::BankStatementReleased {
        bank_statement_id: id,
        state: statement.state,
    };
    let stamp = staff.stamp(context.now).because(reason);
    events::record(conn, &stamp, &[released])?;
    Ok(statement.into_row())
}
