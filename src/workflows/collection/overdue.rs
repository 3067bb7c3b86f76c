//! An overdue invoice with all that a step against it looks at. The steps are taken in the module above.

use chrono::NaiveDate;

use super::terms;
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
    /// What was done against it, in this round and before.
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
        reminders: reminders::of_invoice(conn, id)?,
        today: local_date(context.now, terms.seller.zone),
        terms,
        collect_from,
        account,
        invoice,
    }))
}

/// The days of the steps that were taken.
pub(super) struct Taken {
    sent: Vec<NaiveDate>,
    skipped: Option<NaiveDate>,
    suspended: Option<NaiveDate>,
}

impl Taken {
    pub fn as_facts(&self, overdue: &Overdue) -> Facts<'_> {
        let paused = overdue.invoice.paused_until;
        Facts {
            collect_from: overdue.collect_from,
            today: overdue.today,
            sent: &self.sent,
            skipped: self.skipped,
            suspended: self.suspended,
            retry_ahead: false,
            waits: paused.is_some_and(|until| until > overdue.today),
        }
    }
}

impl Overdue {
    fn day(&self, at: Instant) -> NaiveDate {
        local_date(at, self.terms.seller.zone)
    }

    /// The steps of this round: those since it is collected.
    pub fn of_round(&self) -> impl Iterator<Item = &Reminder> {
        let is_of_round = |one: &&Reminder| self.day(one.sent_at) >= self.collect_from;
        self.reminders.iter().filter(is_of_round)
    }

    pub fn taken(&self) -> Taken {
        let days = |outcome| {
            let of = self.of_round().filter(move |one| one.outcome == outcome);
            of.map(|one| self.day(one.sent_at))
        };
        let suspended = self.membership.as_ref().and_then(|one| one.suspended_at);
        Taken {
            sent: days(ReminderOutcome::Sent).collect(),
            skipped: days(ReminderOutcome::Skipped).max(),
            suspended: suspended.map(|at| self.day(at)),
        }
    }
}
