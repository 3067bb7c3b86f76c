//! The memberships that every sandbox begins with, and their invoices: one that is paid for in time, and those that are not.

use chrono::TimeDelta;

use super::people::OWING;
use super::{account_id, fixed, seeding};
use crate::domain::account::AccountId;
use crate::domain::collection::{past_due_moment, step_moment};
use crate::domain::invoice::{self, InvoiceId, PaymentMethod};
use crate::domain::member_number::MemberNumber;
use crate::domain::membership::{MembershipId, MembershipState, Standing, ends_date, find_level};
use crate::error::{Error, Result};
use crate::repository::memberships::Membership;
use crate::repository::{DbConn, accounts, invoices as stored, member_numbers, points};
use crate::types::Instant;
use crate::workflows::{Context, collection, invoices, membership, purchases};

/// The number of the seeded member who owes nothing yet, account, membership and invoice alike.
const MEMBER: u8 = 2;

/// Days after the due date on which something is done about an invoice that is not paid.
const STEPS: [i64; 6] = [1, 3, 13, 23, 30, 90];

/// Makes the second seeded account a member at gold, paying by bank transfer, with its invoice issued; others have been for longer and have not paid.
pub fn seed(conn: &mut DbConn, context: &Context) -> Result<()> {
    join(conn, context, MEMBER, "gold")?;
    let due_days = i64::from(context.programme.invoice.due_days);
    for (n, days_overdue) in OWING.into_iter().zip([5, 40, 100]) {
        let joined = context.now.plus(TimeDelta::days(-due_days - days_overdue));
        let number = u8::try_from(n).unwrap_or(u8::MAX);
        join(conn, &at(context, joined), number, "silver")?;
        collect(conn, context, number)?;
    }
    Ok(())
}

fn at(context: &Context, now: Instant) -> Context {
    Context {
        now,
        ..context.clone()
    }
}

/// Takes the steps against an invoice that were due so far, each at its moment.
fn collect(conn: &mut DbConn, context: &Context, n: u8) -> Result<()> {
    let id = InvoiceId::from(fixed(n.into()));
    let found = stored::find_by_id(conn, id)?;
    let Some(due) = found.and_then(|invoice| invoice.due_date) else {
        return Ok(());
    };
    let zone = context.programme.seller.zone;
    for days in STEPS {
        let day = due + TimeDelta::days(days);
        let moment = match days {
            1 => past_due_moment(due, zone),
            _ => step_moment(day, zone, &context.programme.overdue),
        };
        if moment < context.now {
            collection::step(conn, &at(context, moment), seeding(), id)?;
        }
    }
    Ok(())
}

fn join(conn: &mut DbConn, context: &Context, member: u8, level: &str) -> Result<()> {
    let programme = &context.programme;
    let Some(level) = find_level(&programme.levels, level) else {
        return Ok(());
    };
    let n = u128::from(member);
    let access = seeding().on(account_id(n));
    let account = accounts::lock(conn, &access)?;
    let number = claim_number(conn, context, account.id, member)?;
    let (today, _) = invoice::issued(context.now, programme.seller.zone);
    let membership = Membership {
        id: MembershipId::from(fixed(n)),
        account_id: account.id,
        version: 1,
        member_number: number.to_string(),
        level: level.code.clone(),
        status: MembershipState::Active,
        starts_date: today,
        ends_date: ends_date(today, programme.membership.term_years),
        payment_method: PaymentMethod::BankTransfer,
        card_id: None,
        fee_cents: level.fee_cents(0),
        currency: programme.seller.currency,
        points_at_joining: points::find(conn, &access)?.counting(),
        terms_version: programme.terms_version.clone(),
        created_at: context.now,
        ended_at: None,
        seller_key: Some(programme.seller.key()),
        standing: Some(Standing::Current),
        suspended_at: None,
        ended_reason: None,
        cancelled_at: None,
        seller_terms_id: Some(purchases::keep_terms(conn, programme, context.now)?),
    };
    let stamp = access.stamp(context.now);
    let purchase = membership::begin(conn, context, &stamp, &account, &membership)?;
    let invoice = InvoiceId::from(fixed(n));
    invoices::issue_as(conn, context, seeding(), purchase, invoice)
}

/// The number that a seeded member has in every sandbox.
fn claim_number(
    conn: &mut DbConn,
    context: &Context,
    account: AccountId,
    member: u8,
) -> Result<MemberNumber> {
    let number = MemberNumber::from_random([0, 0, 0, 0, 0, 0, 0, member]);
    match member_numbers::claim(conn, &number, account, context.now)?.is_stored() {
        true => Ok(number),
        false => Err(Error::internal("seeding a membership")(
            "its member number is taken",
        )),
    }
}
