//! Taking back what was placed on an invoice: by whoever placed it, or since a credit note takes its place. Placing is in the module above.

use chrono_tz::Tz;

use super::mails;
use crate::domain::actor::Stamp;
use crate::domain::allocation::{self, Part};
use crate::domain::calendar::local_date;
use crate::domain::event::Event;
use crate::domain::invoice::{InvoiceId, InvoiceStatus, PaymentId};
use crate::domain::money::Money;
use crate::domain::payment::AllocationId;
use crate::error::Result;
use crate::repository::accounts::Account;
use crate::repository::allocations::{self, Allocation};
use crate::repository::invoices;
use crate::repository::{DbConn, Held, events};
use crate::workflows::{Context, collection};

/// Takes cents back that were placed on an invoice of a held account, all of these allocations. An invoice that was settled is open again, is collected from
/// this day on, where its seller is, though not before it is due, and whose it is hears of it.
pub fn take_back(
    conn: &mut DbConn,
    (context, zone): (&Context, Tz),
    stamp: &Stamp,
    account: &Held<Account>,
    (invoice, placed): (InvoiceId, &[Allocation]),
) -> Result<()> {
    let mut invoice = invoices::lock(conn, account, invoice)?;
    let was_settled = invoice.status != InvoiceStatus::Open;
    for one in placed {
        reverse(conn, stamp, one)?;
    }
    let collect_from = match was_settled {
        true => Some(local_date(stamp.now, zone)).max(invoice.due_date),
        false => invoice.collect_from,
    };
    invoices::store_moved(conn, &mut invoice, collect_from)?;
    if was_settled {
        collection::watch_in(conn, zone, &invoice, stamp.now)?;
        let event = Event::InvoiceReopened {
            account_id: account.id,
            invoice_id: invoice.id,
            number: invoice.number.clone(),
            open: Money::new(invoice.open_cents, invoice.currency),
        };
        events::record(conn, stamp, &[event])?;
        mails::reversed(conn, context, account, &invoice)?;
    }
    Ok(())
}

fn reverse(conn: &mut DbConn, stamp: &Stamp, placed: &Allocation) -> Result<()> {
    let reversal = Allocation {
        amount_cents: -placed.amount_cents,
        reverses_id: Some(placed.id),
        ..again(stamp, placed)
    };
    allocations::insert(conn, &reversal)
}

/// The same allocation, made anew.
fn again(stamp: &Stamp, placed: &Allocation) -> Allocation {
    Allocation {
        id: AllocationId::new(stamp.now),
        reason: stamp.reason.clone(),
        actor: stamp.actor.to_string(),
        created_at: stamp.now,
        ..placed.clone()
    }
}

/// What was made open of an invoice, for a credit note.
#[derive(Debug, Clone, Default)]
pub struct Freed {
    /// Payments of which so much is open by it.
    pub payments: Vec<Part<PaymentId>>,
    /// Cents that were written off, each with its reason.
    pub written_off: Vec<(i64, Option<String>)>,
}

/// Makes cents of a held invoice open whose place a credit note takes at once: what was written off first, then what was paid, the newest first.
pub fn free(conn: &mut DbConn, stamp: &Stamp, invoice: InvoiceId, cents: i64) -> Result<Freed> {
    let mut placed = allocations::standing(allocations::of_invoices(conn, &[invoice])?);
    placed.retain(|one| one.credit_note_id.is_none());
    placed.sort_by_key(|one| (!one.written_off, std::cmp::Reverse(one.id)));
    let parts: Vec<Part<&Allocation>> = placed
        .iter()
        .map(|one| Part {
            of: one,
            cents: one.amount_cents,
        })
        .collect();
    let mut freed = Freed::default();
    for one in allocation::free(cents, &parts) {
        let placed = one.allocation.of;
        reverse(conn, stamp, placed)?;
        if one.again > 0 {
            let rest = Allocation {
                amount_cents: one.again,
                reason: placed.reason.clone(),
                ..again(stamp, placed)
            };
            allocations::insert(conn, &rest)?;
        }
        let cents = one.allocation.cents - one.again;
        match placed.payment_id {
            Some(of) => freed.payments.push(Part { of, cents }),
            None => freed.written_off.push((cents, placed.reason.clone())),
        }
    }
    Ok(freed)
}
