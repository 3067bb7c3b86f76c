//! Memberships and invoices from before purchases were recorded: what they lack is filled in, once. Issuing what is bought is in `invoices`.

use serde_json::{Value, json};

use crate::domain::access::ServiceAccess;
use crate::domain::account::AccountId;
use crate::domain::calendar::local_date;
use crate::domain::invoice::{Content, rf_reference};
use crate::domain::membership::MembershipId;
use crate::domain::purchase::{PurchaseId, SellerTermsId};
use crate::error::Result;
use crate::programme::Programme;
use crate::repository::accounts;
use crate::repository::invoices::{self, Filling, Invoice};
use crate::repository::memberships::{self, Membership};
use crate::repository::{DbConn, purchases as stored};
use crate::types::Instant;
use crate::workflows::{Context, collection, purchases};

/// Memberships that are looked at in one transaction.
const MEMBERSHIPS: i64 = 100;

/// Records what was bought with the memberships behind `after` that lack it; the last one looked at, nothing once all are.
pub fn complete(
    conn: &mut DbConn,
    programme: &Programme,
    (service, now): (ServiceAccess, Instant),
    after: Option<MembershipId>,
) -> Result<Option<MembershipId>> {
    let lacking = memberships::without_terms(conn, after, MEMBERSHIPS)?;
    let ids: Vec<AccountId> = lacking.iter().map(|one| one.account_id).collect();
    accounts::lock_many(conn, &ids)?;
    for membership in &lacking {
        // Whoever migrates at the same time may have recorded it until this one had the lock.
        if stored::join_of(conn, membership.id)?.is_some() {
            continue;
        }
        let invoice = invoices::earlier(conn, membership.id)?;
        let is_known = membership.seller_key.as_deref() == Some(&programme.seller.key());
        if invoice.is_some() || is_known || membership.seller_key.is_none() {
            complete_one(
                conn,
                programme,
                (service, now),
                (membership, invoice.as_ref()),
            )?;
        }
    }
    Ok(lacking.last().map(|membership| membership.id))
}

/// Issues the invoice of a membership whose purchase is not recorded yet.
pub fn issue_of(
    conn: &mut DbConn,
    context: &Context,
    service: ServiceAccess,
    id: MembershipId,
) -> Result<()> {
    let Some(membership) = memberships::find_by_id(conn, id)? else {
        return Ok(());
    };
    accounts::lock(conn, &service.on(membership.account_id))?;
    let purchase = match stored::join_of(conn, id)? {
        Some(purchase) => purchase,
        None => {
            context.check_seller(membership.seller_key.as_deref())?;
            let by = (service, context.now);
            complete_one(conn, &context.programme, by, (&membership, None))?
        }
    };
    super::issue(conn, context, service, purchase)
}

/// Records what a membership began with; the caller holds the account's lock and has seen that nothing says it.
fn complete_one(
    conn: &mut DbConn,
    programme: &Programme,
    (service, now): (ServiceAccess, Instant),
    (membership, invoice): (&Membership, Option<&Invoice>),
) -> Result<PurchaseId> {
    let (key, frozen) = match invoice {
        Some(invoice) => sold_under(programme, invoice)?,
        None => (programme.seller.key(), programme.frozen.clone()),
    };
    let terms = purchases::keep(conn, key, &frozen, now)?;
    let sold = (membership, terms);
    let purchase = purchases::record_join(conn, programme, &service.stamp(now), sold)?;
    memberships::set_terms(conn, membership.id, terms)?;
    if let Some(invoice) = invoice {
        let zone = programme.seller.zone;
        let mut filled = invoice.clone();
        // Nobody is past due by an invoice before the day on which it is watched.
        filled.collect_from = invoice.collect_from.max(Some(local_date(now, zone)));
        invoices::fill(conn, &filling(&filled, (purchase, terms)))?;
        collection::watch_in(conn, zone, &filled, now)?;
        super::render_later(conn, invoice.id, now)?;
    }
    Ok(purchase)
}

/// What an invoice lacks.
fn filling(
    invoice: &Invoice,
    (purchase_id, seller_terms_id): (PurchaseId, SellerTermsId),
) -> Filling {
    Filling {
        id: invoice.id,
        purchase_id,
        seller_terms_id,
        payment_reference: invoice
            .payment_reference
            .clone()
            .or_else(|| rf_reference(&invoice.number)),
        collect_from: invoice.collect_from,
    }
}

/// The key of the seller of an invoice, and what it sold under: the programme, with the seller as the invoice names it.
fn sold_under(programme: &Programme, invoice: &Invoice) -> Result<(String, Value)> {
    let seller = invoice.content.decode::<Content>()?.seller;
    let mut frozen = programme.frozen.clone();
    if invoice.seller_key != programme.seller.key() {
        let said = serde_json::to_value(&seller)?;
        let said = said.as_object().cloned().unwrap_or_default();
        if let Some(section) = frozen.get_mut("seller").and_then(Value::as_object_mut) {
            section.extend(said);
            section.insert("currency".to_owned(), json!(invoice.currency));
            section.remove("company_number");
            section.remove("company_scheme");
            section.remove("electronic_address");
            section.remove("fi_creditor");
        }
        let year = format!("{}-", invoice.year);
        let prefix = invoice.number.split(&year).next().unwrap_or_default();
        if let Some(section) = frozen.get_mut("invoice").and_then(Value::as_object_mut) {
            section.insert("prefix".to_owned(), json!(prefix.trim_end_matches('-')));
            section.insert("bank_transfer_fee".to_owned(), json!("0.00"));
        }
    }
    Ok((invoice.seller_key.clone(), frozen))
}
