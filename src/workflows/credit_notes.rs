//! Crediting invoices, in part or whole: a document of its own, what it settles, and where the money goes that it frees. What it says is in `invoices`.

use serde_json::json;

use super::invoice_email::recipient;
use super::invoices::{credit_note, reissue, set_off, tell as tell_issued};
use super::mail::send;
use super::settlement::{self, Freed, Source};
use super::{Context, collection, work_items};
use crate::domain::access::AccountAccess;
use crate::domain::actor::Stamp;
use crate::domain::allocation::{self, Part};
use crate::domain::calendar::latest_day;
use crate::domain::event::Event;
use crate::domain::invoice::{CreditCause, InvoiceId, InvoiceKind, Totals, credit};
use crate::domain::mail::Template;
use crate::domain::money::{Amount, Money};
use crate::domain::work_item::WorkItemKind;
use crate::error::{Code, Error, Fault, FaultCode, Partial, Result};
use crate::repository::accounts::{self, Account};
use crate::repository::invoices::{self, Invoice};
use crate::repository::work_items::WorkItem;
use crate::repository::{DbConn, Held, events, invoice_collection, payments, sessions};

/// What is to be credited.
#[derive(Debug, Clone)]
pub struct Credit {
    /// Without VAT; none is all that is left.
    pub net: Option<Money>,
    pub cause: CreditCause,
    /// What the customer reads.
    pub note: String,
    /// Whether an invoice of the same purchase is issued in its place.
    pub reissue: bool,
}

/// What staff ask to be credited, as far as it could be read.
#[derive(Debug, Clone)]
pub struct WantedCredit {
    /// Without VAT, where one is named.
    pub net: Option<Money>,
    /// All of it; nothing where something could not be read.
    pub whole: Option<Credit>,
}

/// What crediting came to.
#[derive(Debug, Clone)]
pub struct Credited {
    pub note: Invoice,
    /// The invoice as it stood before.
    pub before: Invoice,
    /// The invoice as it stands then.
    pub invoice: Invoice,
    pub freed: Freed,
}

/// Credits an invoice as staff ask for it, and issues another in its place where they want one: the credit note.
pub fn issue(
    conn: &mut DbConn,
    context: &Context,
    access: &AccountAccess,
    id: InvoiceId,
    wanted: Partial<WantedCredit>,
) -> Result<Invoice> {
    let account = accounts::lock(conn, access)?;
    sessions::confirm(conn, access.actor())?;
    let wanted = &judged(conn, (access, id), wanted)?;
    let stamp = access.stamp(context.now).because(&wanted.note);
    let credited = credit_invoice(conn, context, &stamp, (&account, id), wanted)?;
    let instead = match wanted.reissue {
        true => reissue(conn, context, &stamp, (&account, &credited.before))?,
        false => None,
    };
    let first = instead.map(|invoice| invoice.id);
    let left = place_freed(conn, context, &stamp, (&account, first), &credited)?;
    let instead = match first {
        Some(id) => Some(take_over(conn, context, &stamp, (&account, id), &credited)?),
        None => None,
    };
    // What was issued instead may be overdue as the one before was.
    collection::restore(conn, context, &stamp, &account, false)?;
    tell(conn, context, &account, (&credited, &wanted.note), left)?;
    if let Some(instead) = instead {
        tell_issued(conn, context, &account, &instead)?;
    }
    Ok(credited.note)
}

/// What was written off of the invoice before is not owed of the one that was issued instead either, and what the account has open is set off against it: the
/// invoice as it stands then.
fn take_over(
    conn: &mut DbConn,
    context: &Context,
    stamp: &Stamp,
    (account, id): (&Held<Account>, InvoiceId),
    credited: &Credited,
) -> Result<Invoice> {
    let mut invoice = invoices::find_by_id(conn, id)?.ok_or(Code::NotFound)?;
    for (cents, reason) in &credited.freed.written_off {
        let cents = invoice.open_cents.min(*cents);
        if cents > 0 {
            let stamp = Stamp {
                reason: reason.clone(),
                ..stamp.clone()
            };
            let placing = (id, Source::WrittenOff, cents);
            invoice = settlement::set_off(conn, context, &stamp, account, placing)?;
        }
    }
    set_off(conn, context, stamp, account, &invoice)
}

/// What is credited; else all that is wrong with what was sent, another currency than the invoice's included.
fn judged(
    conn: &mut DbConn,
    (access, id): (&AccountAccess, InvoiceId),
    wanted: Partial<WantedCredit>,
) -> Result<Credit> {
    let Partial { read, mut faults } = wanted;
    let invoice = invoices::find(conn, access, id)?;
    if read.net.is_some_and(|net| net.currency != invoice.currency) {
        let fault = Fault::new("#/net/currency", FaultCode::NotAccepted);
        faults.push(fault.with("allowed", invoice.currency.as_str()));
    }
    faults.judge(read.whole)
}

/// Issues a credit note of an invoice of a held account and places it: beyond what is open it takes the place of what was paid. What comes of the membership is
/// for who calls.
pub fn credit_invoice(
    conn: &mut DbConn,
    context: &Context,
    stamp: &Stamp,
    (account, id): (&Held<Account>, InvoiceId),
    wanted: &Credit,
) -> Result<Credited> {
    let before = invoices::lock(conn, account, id)?;
    if before.kind != InvoiceKind::Invoice {
        return Err(Code::NotFound.into());
    }
    let totals = sums(conn, &before, wanted)?;
    let beyond = totals.gross - before.open_cents;
    let freed = settlement::free(conn, stamp, before.id, beyond)?;
    let note = credit_note(conn, context, &before, (wanted, totals))?;
    let told = Event::CreditNoteIssued {
        account_id: account.id,
        invoice_id: note.id,
        corrects: before.id,
        number: note.number.clone(),
        gross: Money::new(note.gross_cents, note.currency),
    };
    events::record(conn, stamp, &[told])?;
    let invoice = settlement::credit(conn, stamp, account, (&*before, &note))?;
    let note = invoices::find_by_id(conn, note.id)?.ok_or(Code::NotFound)?;
    Ok(Credited {
        note,
        before: before.into_row(),
        invoice,
        freed,
    })
}

/// What of an invoice is not credited yet.
pub fn left(conn: &mut DbConn, invoice: &Invoice) -> Result<Totals> {
    let mut left = invoice.totals();
    for note in invoices::credit_notes(conn, &[invoice.id])? {
        let less = left.less(note.totals());
        left =
            less.ok_or_else(|| Error::internal("adding credit notes up")("they leave 64 bits"))?;
    }
    Ok(left)
}

/// What is credited with its VAT: 409 `credit_exceeds_invoice` where so much is not left. Whatever is issued again is credited whole.
fn sums(conn: &mut DbConn, invoice: &Held<Invoice>, wanted: &Credit) -> Result<Totals> {
    let left = left(conn, invoice)?;
    let net = match wanted.net {
        _ if wanted.reissue => invoice.net_cents,
        Some(net) => net.cents,
        None => left.net,
    };
    let rate = invoice.said()?.vat.first().map(|share| share.rate);
    let totals = credit(net, left, rate.unwrap_or_default());
    totals.ok_or_else(|| {
        let left = format!("{} {}", Amount(left.net), invoice.currency.as_str());
        Code::CreditExceedsInvoice.with("left", left).into()
    })
}

/// Places what came free on the invoice that was issued instead, then on those that are overdue, longest first; what is left waits for finance. How much that is.
pub fn place_freed(
    conn: &mut DbConn,
    context: &Context,
    stamp: &Stamp,
    (account, first): (&Held<Account>, Option<InvoiceId>),
    credited: &Credited,
) -> Result<i64> {
    if credited.freed.payments.is_empty() {
        return Ok(0);
    }
    let mut open = waiting(conn, context, (account, first), credited)?;
    let (mut items, mut left) = (Vec::new(), 0);
    for freed in &credited.freed.payments {
        let payment = payments::lock(conn, account, freed.of)?;
        let placed = allocation::place(freed.cents, &open);
        for part in &placed {
            let placing = (part.of, Source::Payment(&payment), part.cents);
            match Some(part.of) == first {
                true => settlement::set_off(conn, context, stamp, account, placing)?,
                false => settlement::place(conn, context, stamp, account, placing)?,
            };
        }
        let over = freed.cents - placed.iter().map(|part| part.cents).sum::<i64>();
        if over > 0 {
            left += over;
            items.push(WorkItem {
                account_id: Some(account.id),
                ..work_items::matter(context, WorkItemKind::CreditLeft, freed.of)
            });
        }
        open = less(open, &placed);
    }
    let told = work_items::open(conn, &items)?;
    events::record(conn, stamp, &told)?;
    Ok(left)
}

/// What is open of each invoice that freed money goes to, in that order.
fn waiting(
    conn: &mut DbConn,
    context: &Context,
    (account, first): (&Held<Account>, Option<InvoiceId>),
    credited: &Credited,
) -> Result<Vec<Part<InvoiceId>>> {
    let first = match first {
        Some(id) => invoices::find_by_id(conn, id)?,
        None => None,
    };
    let until = (credited.note.currency, latest_day(context.now));
    let found = invoice_collection::overdue(conn, account, until)?;
    let (overdue, _) = collection::where_sold(conn, context, found)?;
    let others = overdue
        .into_iter()
        .filter(|one| Some(one.id) != first.as_ref().map(|first| first.id));
    // Of the one that was credited nothing is paid again with what it gave back.
    let others = others.filter(|one| one.id != credited.invoice.id);
    let all = first.clone().into_iter().chain(others);
    let part = |invoice: Invoice| Part {
        of: invoice.id,
        cents: invoice.open_cents,
    };
    Ok(all.map(part).collect())
}

fn less(open: Vec<Part<InvoiceId>>, placed: &[Part<InvoiceId>]) -> Vec<Part<InvoiceId>> {
    let taken = |of: InvoiceId| placed.iter().filter(move |part| part.of == of);
    let rest = open.into_iter().map(|part| Part {
        cents: part.cents - taken(part.of).map(|one| one.cents).sum::<i64>(),
        ..part
    });
    rest.collect()
}

/// Mails the credit note: what of its invoice is still to be paid, and whether money is left over.
pub fn tell(
    conn: &mut DbConn,
    context: &Context,
    account: &Account,
    (credited, note): (&Credited, &str),
    left: i64,
) -> Result<()> {
    let values = json!({
        "credit_note_number": credited.note.number,
        "invoice_number": credited.invoice.number,
        "gross": Amount(credited.note.gross_cents),
        "open": Some(Amount(credited.invoice.open_cents)).filter(|open| open.0 > 0),
        "left": Some(Amount(left)).filter(|left| left.0 > 0),
        "currency": credited.note.currency,
        "note": note,
        "attached_invoice": credited.note.id,
        "action_url": context.links.page(&format!("invoices/{}", credited.note.id)),
    });
    let to = recipient(conn, account)?;
    send(conn, context, &to, Template::CreditNoteIssued, values)
}
