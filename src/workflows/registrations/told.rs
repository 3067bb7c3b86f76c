//! What a customer is mailed of a dealer's lines: one mail for all that came within some minutes.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::effects::is_news;

use crate::domain::access::ServiceAccess;
use crate::domain::account::AccountId;
use crate::domain::mail::Template;
use crate::domain::partner::PartnerId;
use crate::domain::registration::{RegistrationStatus, Reported};
use crate::error::Result;
use crate::repository::catalogue::Catalogue;
use crate::repository::registrations::{self, Registration};
use crate::repository::{DbConn, accounts};
use crate::types::Instant;
use crate::workflows::Context;
use crate::workflows::mail::{self, Recipient};

/// More products than this no mail lists.
const MOST_LISTED: i64 = 100;

/// Mails a customer what a partner has reported from a moment on: what waits for an answer first.
pub fn tell_customer(
    conn: &mut DbConn,
    context: &Context,
    service: ServiceAccess,
    (partner, account, since): (PartnerId, AccountId, Instant),
) -> Result<()> {
    let account = accounts::lock(conn, &service.on(account))?;
    let mut lines = registrations::changed_since(conn, (partner, account.id), since, MOST_LISTED)?;
    let mut told = BTreeSet::new();
    lines.retain(|line| {
        is_news((line.status, line.product_id), since) && told.insert(line.product_id)
    });
    let catalogue = context.catalogue.current(conn)?;
    let of = |statuses: &[RegistrationStatus]| {
        let told = lines.iter().filter(|line| statuses.contains(&line.status));
        told.map(|line| item(context, &catalogue, line))
            .collect::<Result<Vec<Value>>>()
    };
    let offered = of(&[
        RegistrationStatus::Offered,
        RegistrationStatus::AlreadyRegistered,
    ])?;
    let registered = of(&[RegistrationStatus::Registered, RegistrationStatus::Held])?;
    let returned = of(&[RegistrationStatus::Returned])?;
    let template = match (
        offered.is_empty(),
        registered.is_empty(),
        returned.is_empty(),
    ) {
        (false, ..) => Template::ProductOffered,
        (true, false, _) => Template::ProductRegisteredByDealer,
        (true, true, false) => Template::ProductReturned,
        (true, true, true) => return Ok(()),
    };
    let (dealer, _) = registrations::dealer(conn, partner)?;
    let values = json!({
        "dealer": dealer,
        "offered": offered,
        "registered": registered,
        "returned": returned,
        "action_url": context.links.page("products"),
    });
    mail::send(
        conn,
        context,
        &Recipient::contact(&account),
        template,
        values,
    )
}

fn item(context: &Context, catalogue: &Catalogue, line: &Registration) -> Result<Value> {
    let said: Option<Reported> = line
        .reported
        .as_ref()
        .map(|said| said.decode())
        .transpose()?;
    let model = line.model_id.and_then(|id| catalogue.model(id));
    let ends = line.offer_expires_at;
    Ok(json!({
        "model": model.map(|model| &model.row.name),
        "serial_number": said.map(|said| said.serial_number),
        "expires_date": ends.map(|ends| context.programme.review.date_of(ends)),
    }))
}
