//! Offers that nobody answers: their customers are reminded of them, and they run out, those of an hour together.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::domain::access::ServiceAccess;
use crate::domain::account::AccountId;
use crate::domain::event::Event;
use crate::domain::mail::Template;
use crate::error::Result;
use crate::repository::accounts::Account;
use crate::repository::catalogue::Catalogue;
use crate::repository::offers::{self, Offer};
use crate::repository::registrations::Registration;
use crate::repository::{DbConn, events};
use crate::types::Instant;
use crate::workflows::Context;
use crate::workflows::mail::{self, Recipient};
use crate::workflows::tasks::{Task, enqueue};

/// How many offers run out in one transaction.
const OFFERS: i64 = 500;
/// How many accounts are reminded in one transaction.
const ACCOUNTS: i64 = 50;
/// How many offers a mail names.
const NAMED: usize = 20;
const HOUR: TimeDelta = TimeDelta::hours(1);

/// Has offers whose time is over at `expires_at` run out, and their customers reminded before: whoever makes offers asks for it, once for all of
/// a moment.
pub fn watch(conn: &mut DbConn, context: &Context, expires_at: Instant) -> Result<()> {
    let end = expires_at.hour().plus(HOUR);
    let expire = Task::ExpireOffers {
        hour: end,
        round: 0,
    };
    enqueue(conn, &expire, end, context.now)?;
    let hour = expires_at.plus(-reminded_before(context)).hour();
    let remind = Task::RemindOffers { hour, after: None };
    enqueue(conn, &remind, hour, context.now)
}

fn reminded_before(context: &Context) -> TimeDelta {
    TimeDelta::days(context.programme.dealers.offer_reminder_days.into())
}

/// Ends the offers whose time is over; further ones in another round.
pub fn expire(
    conn: &mut DbConn,
    context: &Context,
    service: ServiceAccess,
    (hour, round): (Instant, u32),
) -> Result<()> {
    let expired = offers::expire(conn, context.now, OFFERS)?;
    let mut seen = BTreeSet::new();
    let happened = expired.iter().flat_map(|line| {
        let is_first = seen.insert(line.product_id);
        told(line, is_first)
    });
    let happened: Vec<Event> = happened.collect();
    events::record(conn, &service.stamp(context.now), &happened)?;
    if i64::try_from(expired.len()).unwrap_or(OFFERS) < OFFERS {
        return Ok(());
    }
    let round = round + 1;
    enqueue(
        conn,
        &Task::ExpireOffers { hour, round },
        context.now,
        context.now,
    )
}

/// What both sides are told of an offer that ran out: the account once, of whatever lines it has, the partner of each.
fn told(line: &Registration, is_first: bool) -> Vec<Event> {
    let of_account =
        line.product_id
            .filter(|_| is_first)
            .map(|product_id| Event::ProductOfferExpired {
                account_id: line.account_id,
                product_id,
            });
    let of_partner = Event::RegistrationExpired {
        partner_id: line.partner_id,
        registration_id: line.id,
        external_id: line.external_id.clone(),
        status: line.status,
    };
    of_account.into_iter().chain([of_partner]).collect()
}

/// Reminds customers of the offers whose time is over soon, one mail each: those for which this is the hour, account by account behind `after`.
pub fn remind(
    conn: &mut DbConn,
    context: &Context,
    (hour, after): (Instant, Option<AccountId>),
) -> Result<()> {
    let from = hour.plus(reminded_before(context));
    let ends = (from.max(context.now), from.plus(HOUR));
    let ids = offers::accounts_reminded(conn, ends, after, ACCOUNTS)?;
    let Some(last) = ids.last().copied() else {
        return Ok(());
    };
    let catalogue = context.catalogue.current(conn)?;
    let mut by_account: BTreeMap<AccountId, (Account, Vec<Offer>)> = BTreeMap::new();
    for (account, offer) in offers::ending(conn, ends, &ids)? {
        let (_, offers) = by_account
            .entry(account.id)
            .or_insert((account, Vec::new()));
        offers.push(offer);
    }
    for (account, offers) in by_account.values() {
        let values = values(context, &catalogue, offers);
        let to = Recipient::contact(account);
        mail::send(conn, context, &to, Template::OfferExpiring, values)?;
    }
    let after = Some(last);
    enqueue(
        conn,
        &Task::RemindOffers { hour, after },
        context.now,
        context.now,
    )
}

/// What a mail says of offers.
fn values(context: &Context, catalogue: &Catalogue, offers: &[Offer]) -> Value {
    let date_of = |at| context.programme.review.date_of(at);
    let named = offers.iter().take(NAMED).map(|(product, line, partner)| {
        let model = catalogue.model(product.model_id);
        json!({
            "model": model.map(|model| &model.row.name),
            "serial_number": product.serial_number,
            "dealer": partner.name,
            "expires_date": line.offer_expires_at.map(date_of),
        })
    });
    json!({
        "offers": named.collect::<Vec<_>>(),
        "more_offers": offers.len().saturating_sub(NAMED),
        "action_url": context.links.page("offers"),
    })
}
