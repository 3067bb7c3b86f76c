//! What lines leave behind beside products and points: their registrations, the partner's events, alerts, and a mail that waits.

use std::collections::BTreeSet;

use chrono::TimeDelta;

use crate::domain::access::PartnerAccess;
use crate::domain::account::AccountId;
use crate::domain::event::Event;
use crate::domain::partner::PartnerId;
use crate::domain::product::ProductId;
use crate::domain::quota::Used;
use crate::domain::registration::{
    Known, Outcome, RegistrationNote, RegistrationStatus, Verb, World,
};
use crate::error::Result;
use crate::repository::registrations::{self, Registration};
use crate::repository::{DbConn, events, jobs, partner_days};
use crate::types::{Instant, Json};
use crate::workflows::products::Inventories;
use crate::workflows::tasks::{Task, enqueue};
use crate::workflows::{Context, offers, partner_alerts};

/// How long a customer's mail waits for further lines: the key of one that waits is of this span or of the one before.
const MAIL_WAITS: TimeDelta = TimeDelta::minutes(10);

/// Stores products, ledgers and lines, and what there is to tell of them.
pub fn store(
    conn: &mut DbConn,
    context: &Context,
    partner: &PartnerAccess,
    inventories: Inventories<'_>,
    world: &World,
    outcomes: &[Outcome],
) -> Result<()> {
    inventories.flush(conn)?;
    let id = partner.partner_id();
    store_lines(conn, id, world)?;
    let ends: BTreeSet<Instant> = world
        .changed()
        .filter_map(|known| known.offer_expires_at)
        .collect();
    for moment in ends {
        offers::watch(conn, context, moment)?;
    }
    let told: Vec<Event> = outcomes
        .iter()
        .filter_map(|outcome| event(id, world, outcome))
        .collect();
    events::record(conn, &partner.stamp(context.now), &told)?;
    let taken = outcomes.iter().filter_map(|outcome| match outcome {
        Outcome::Taken(known) if is_news((known.status, known.product_id), context.now) => {
            Some(known.account_id)
        }
        _ => None,
    });
    tell_later(conn, context, id, taken.collect())
}

fn store_lines(conn: &mut DbConn, partner: PartnerId, world: &World) -> Result<()> {
    let rows = world.changed().map(|known| row(partner, known));
    let rows: Vec<Registration> = rows.collect::<Result<_>>()?;
    let (new, changed): (Vec<Registration>, Vec<Registration>) =
        rows.into_iter().partition(|line| line.version == 1);
    registrations::store_many(conn, &changed)?;
    // A return stands behind the sale that it names.
    let (sales, others): (Vec<Registration>, Vec<Registration>) =
        new.into_iter().partition(|line| line.of_id.is_none());
    for some in [sales, others].iter().filter(|some| !some.is_empty()) {
        registrations::insert(conn, some)?;
    }
    Ok(())
}

/// Whether the customer does not know of it: of an offer that stood before, they do.
pub fn is_news((status, product): (RegistrationStatus, Option<ProductId>), since: Instant) -> bool {
    let is_offer = matches!(
        status,
        RegistrationStatus::Offered | RegistrationStatus::AlreadyRegistered
    );
    let is_new = |product| product >= ProductId::first_at(since);
    !is_offer || product.is_some_and(is_new)
}

/// A line as it is stored.
pub fn row(partner_id: PartnerId, known: &Known) -> Result<Registration> {
    Ok(Registration {
        id: known.id,
        partner_id,
        external_id: known.external_id.clone(),
        verb: known.verb,
        of_id: known.of_id,
        body_hash: known.identity.clone(),
        status: known.status,
        code: known.is_confirmed.then_some(RegistrationNote::Confirmed),
        reason: known.reason,
        account_id: known.account_id,
        product_id: known.product_id,
        model_id: known.model_id,
        serial_key: known.serial_key.clone(),
        reported: known.reported.as_ref().map(Json::of).transpose()?,
        offer_expires_at: known.offer_expires_at,
        batch_id: known.batch_id,
        version: known.version,
        created_at: known.created_at,
        changed_at: known.changed_at,
    })
}

/// What the partner is told of a line; of a return or a correction, of the sale that it names.
fn event(partner_id: PartnerId, world: &World, outcome: &Outcome) -> Option<Event> {
    let Outcome::Taken(line) = outcome else {
        return None;
    };
    let sale = line.of_id.and_then(|id| world.registration(id));
    let sale = sale.unwrap_or(line);
    let (registration_id, product_id) = (sale.id, sale.product_id?);
    let (external_id, status) = (sale.external_id.clone(), sale.status);
    macro_rules! event {
        ($event:ident) => {
            Event::$event {
                partner_id,
                registration_id,
                external_id,
                status,
                product_id,
            }
        };
    }
    Some(match (line.verb, line.status) {
        (Verb::Return, _) => event!(RegistrationReturned),
        (Verb::Correct, _) => event!(RegistrationCorrected),
        (Verb::Register, RegistrationStatus::Registered) => event!(RegistrationRegistered),
        (Verb::Register, RegistrationStatus::Offered) => event!(RegistrationOffered),
        (Verb::Register, RegistrationStatus::Held) => event!(RegistrationHeld),
        (Verb::Register, _) => return None,
    })
}

/// Counts what a partner uses of its day; from so many customers on who were not found, or whom dry runs found, staff look at it. Counted last: the
/// partner's other lines wait for the row. What it has used by then.
pub fn count(
    conn: &mut DbConn,
    context: &Context,
    partner: &PartnerAccess,
    more: &Used,
) -> Result<Used> {
    let day = context.now.utc().date_naive();
    let used = partner_days::add(conn, partner.partner_id(), day, more)?;
    partner_alerts::watch_customers(conn, context, partner, (more, &used))?;
    Ok(used)
}

/// Has each customer told once, of all that this partner reports within some minutes from the first line on.
fn tell_later(
    conn: &mut DbConn,
    context: &Context,
    partner_id: PartnerId,
    accounts: BTreeSet<AccountId>,
) -> Result<()> {
    let since = context.now;
    let mail = |account_id, since| Task::TellCustomer {
        partner_id,
        account_id,
        since,
    };
    let before = since.plus(-MAIL_WAITS);
    let waited: Vec<String> = accounts
        .iter()
        .map(|account| mail(*account, before).key())
        .collect();
    let waiting = jobs::ready_keys(conn, &waited)?;
    let fresh = accounts.into_iter().zip(&waited);
    let fresh = fresh.filter(|(_, waited)| !waiting.contains(*waited));
    let tasks: Vec<Task> = fresh.map(|(account, _)| mail(account, since)).collect();
    let run_at = since.plus(MAIL_WAITS);
    tasks
        .iter()
        .try_for_each(|task| enqueue(conn, task, run_at, since))
}
