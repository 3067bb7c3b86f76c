//! An overdue invoice with all that a step against it looks at. The steps are taken in the module above.

use chrono::NaiveDate;
use chrono_tz::Tz;

use super::sold::terms;
use crate::domain::access::ServiceAccess;
use crate::domain::calendar::local_date;
use crate::domain::collection::{Facts, ReminderOutcome};
use crate::domain::invoice::{InvoiceId, InvoiceStatus, PaymentMethod};
use crate::error::Result;
use crate::programme::SellerTerms;
use crate::repository::accounts::{self, Account};
use crate::repository::invoices::{self, Invoice};
use crate::repository::memberships::{self, Membership};
use crate::repository::reminders::{self, Reminder};
use crate::repository::{DbConn, Held};
use crate::types::Instant;
use crate::workflows::Context;

/// An overdue invoice, with all that a step against it looks at.
pub(super) struct Overdue {
    pub account: Held<Account>,
    pub invoice: Held<Invoice>,
    pub collect_from: NaiveDate,
    pub terms: SellerTerms,
    pub today: NaiveDate,
    /// What was done against it and what it stands in the place of, in this round and before.
    pub reminders: Vec<Reminder>,
    /// The membership that it is for, while that runs.
    pub membership: Option<Held<Membership>>,
}

/// Nothing where no step is taken against the invoice.
pub(super) fn load(
    conn: &mut DbConn,
    context: &Context,
    service: ServiceAccess,
    id: InvoiceId,
) -> Result<Option<Overdue>> {
    let Some(found) = invoices::find_by_id(conn, id)? else {
        return Ok(None);
    };
    let account = accounts::lock(conn, &service.on(found.account_id))?;
    let invoice = invoices::lock(conn, &account, id)?;
    let is_open = invoice.status == InvoiceStatus::Open;
    let is_card = invoice.payment_method == PaymentMethod::Card;
    let Some(collect_from) = invoice.collect_from.filter(|_| is_open && !is_card) else {
        return Ok(None);
    };
    let membership = memberships::lock_active(conn, &account)?;
    let terms = terms(conn, context, &invoice)?;
    Ok(Some(Overdue {
        membership: membership.filter(|one| one.id == invoice.membership_id),
        reminders: steps_against(conn, &invoice)?,
        today: local_date(context.now, terms.seller.zone),
        terms,
        collect_from,
        account,
        invoice,
    }))
}

/// What was done against an invoice, and against those in whose place it was issued, oldest first.
pub(super) fn steps_against(conn: &mut DbConn, invoice: &Invoice) -> Result<Vec<Reminder>> {
    let mut ids = vec![invoice.id];
    let mut before = invoice.replaces_id;
    while let Some(id) = before {
        ids.push(id);
        before = invoices::find_by_id(conn, id)?.and_then(|one| one.replaces_id);
    }
    let mut steps = reminders::of_invoices(conn, &ids)?;
    steps.sort_by_key(|one| one.sent_at);
    Ok(steps)
}

/// The days of the steps that were taken against an invoice.
pub(super) struct Taken {
    sent: Vec<NaiveDate>,
    reminded: Option<NaiveDate>,
    skipped: Option<NaiveDate>,
    suspended: Option<NaiveDate>,
}

impl Taken {
    /// Those of this round, since it is collected, of the benefits that stopped then, and of the last reminder in any round.
    pub fn of(
        reminders: &[Reminder],
        (zone, collect_from): (Tz, NaiveDate),
        suspended_at: Option<Instant>,
    ) -> Self {
        let days = |outcome| {
            let taken = of_round(reminders, zone, collect_from);
            let of = taken.filter(move |one| one.outcome == outcome);
            of.map(move |one| local_date(one.sent_at, zone))
        };
        let sent = reminders
            .iter()
            .filter(|one| one.outcome == ReminderOutcome::Sent);
        Self {
            sent: days(ReminderOutcome::Sent).collect(),
            reminded: sent.map(|one| local_date(one.sent_at, zone)).max(),
            skipped: days(ReminderOutcome::Skipped).max(),
            suspended: suspended_at.map(|at| local_date(at, zone)),
        }
    }

    /// What is known of the invoice on a day.
    pub fn as_facts(
        &self,
        collect_from: NaiveDate,
        paused_until: Option<NaiveDate>,
        today: NaiveDate,
    ) -> Facts<'_> {
        Facts {
            collect_from,
            today,
            sent: &self.sent,
            reminded: self.reminded,
            skipped: self.skipped,
            suspended: self.suspended,
            retry_ahead: false,
            waits: paused_until.is_some_and(|until| until > today),
        }
    }
}

/// Of all steps those since an invoice is collected.
fn of_round(
    reminders: &[Reminder],
    zone: Tz,
    collect_from: NaiveDate,
) -> impl Iterator<Item = &Reminder> {
    let is_of_round = move |one: &&Reminder| local_date(one.sent_at, zone) >= collect_from;
    reminders.iter().filter(is_of_round)
}

impl Overdue {
    /// The steps of this round: those since it is collected.
    pub fn of_round(&self) -> impl Iterator<Item = &Reminder> {
        of_round(&self.reminders, self.terms.seller.zone, self.collect_from)
    }

    pub fn taken(&self) -> Taken {
        let suspended = self.membership.as_ref().and_then(|one| one.suspended_at);
        let collected = (self.terms.seller.zone, self.collect_from);
        Taken::of(&self.reminders, collected, suspended)
    }
}
