//! What the dealers of a sandbox offer its first member, who does not trust the second of them.

use chrono::TimeDelta;

use super::{account_id, fixed, seeding};
use crate::domain::event::Event;
use crate::domain::model::{ModelId, name_key};
use crate::domain::product::{Evidence, ProductStatus};
use crate::domain::product_details::{CheckedDetails, Details};
use crate::domain::registration::{RegistrationStatus, Reported, Verb};
use crate::domain::values::{Country, Date};
use crate::error::{Code, Error, Result};
use crate::repository::products::{self, Product};
use crate::repository::registrations::{self, Registration};
use crate::repository::{DbConn, events};
use crate::secrets::sha256_hex;
use crate::types::Json;
use crate::workflows::products::checked;
use crate::workflows::{Context, offers::watch};

/// The dealer that offers them.
const DEALER: (u128, &str) = (302, "Kamerahuset");
/// Whom they are offered to.
const CUSTOMER: u128 = 1;
const BOUGHT: &str = "2025-03-14";

/// The offers: their numbers, models and serial numbers. The second is of what somebody else has.
const OFFERS: [(u128, &str, &str); 2] = [
    (251, "EOS R6", "032021004411"),
    (252, "EOS R5", "062021000422"),
];

/// One that nobody else has: its model and its serial number.
pub(super) const STANDING: (&str, &str) = (OFFERS[0].1, OFFERS[0].2);

/// Seeds the offers.
pub fn seed(conn: &mut DbConn, context: &Context) -> Result<()> {
    let days = context.programme.dealers.offer_days;
    let expires_at = context.now.plus(TimeDelta::days(days.into()));
    for offer in OFFERS {
        let (product, mut line) = offered(conn, context, offer)?;
        line.offer_expires_at = Some(expires_at);
        let happened = told(&product, &line);
        products::insert(conn, &[product])?;
        registrations::insert(conn, &[line])?;
        events::record(conn, &seeding().stamp(context.now), &happened)?;
    }
    watch(conn, context, expires_at)
}

/// What both sides are told of an offer.
fn told(product: &Product, line: &Registration) -> [Event; 2] {
    [
        Event::ProductOffered {
            account_id: product.account_id,
            product_id: product.id,
            model_id: product.model_id,
            partner_id: line.partner_id,
        },
        Event::RegistrationOffered {
            partner_id: line.partner_id,
            registration_id: line.id,
            external_id: line.external_id.clone(),
            status: line.status,
            product_id: product.id,
        },
    ]
}

/// A product that is offered and the line that points at it, which has no end yet.
fn offered(
    conn: &mut DbConn,
    context: &Context,
    (n, model, serial): (u128, &str, &str),
) -> Result<(Product, Registration)> {
    let catalogue = context.catalogue.current(conn)?;
    let model = catalogue.of_name(&name_key(model)).ok_or(Code::NotFound)?;
    let date: Date = BOUGHT
        .parse()
        .map_err(Error::internal("seeding an offer"))?;
    let details = Details {
        serial_number: Some(serial.to_owned()),
        purchase_date: Some(date.day()),
        purchase_country: Some(Country::DK),
        dealer: Some(DEALER.1.to_owned()),
        ..Details::default()
    };
    let checked = checked(context, model, &details).map_err(Error::invalid)?;
    let product = product(context, n, model.row.id, checked);
    let reported = Reported {
        model_id: product.model_id,
        serial_number: serial.to_owned(),
        purchase_date: date.day(),
        purchase_country: Country::DK,
    };
    let line = line(context, n, &product, Json::of(&reported)?);
    Ok((product, line))
}

fn product(context: &Context, n: u128, model_id: ModelId, checked: CheckedDetails) -> Product {
    let (serial, details) = (checked.serial, checked.details);
    Product {
        id: fixed(n).into(),
        account_id: account_id(CUSTOMER),
        model_id,
        version: 1,
        status: ProductStatus::Offered,
        serial_key: serial.as_ref().map(|serial| serial.key.clone()),
        serial_number: serial.map(|serial| serial.shown),
        serial_since: None,
        purchase_date: details.purchase_date,
        purchase_country: details.purchase_country,
        dealer: details.dealer,
        estimated: String::new(),
        checked_at: None,
        end_reason: None,
        legacy_reference: None,
        created_at: context.now,
        updated_at: context.now,
        ended_at: None,
        holds_serial: false,
        evidence: Evidence::Dealer,
        recovered_at: None,
    }
}

pub(super) fn line(context: &Context, n: u128, product: &Product, reported: Json) -> Registration {
    Registration {
        id: fixed(n).into(),
        partner_id: fixed(DEALER.0).into(),
        external_id: format!("K-{n}"),
        verb: Verb::Register,
        of_id: None,
        body_hash: sha256_hex(format!("K-{n}").as_bytes()),
        status: RegistrationStatus::Offered,
        code: None,
        reason: None,
        account_id: product.account_id,
        product_id: Some(product.id),
        model_id: Some(product.model_id),
        serial_key: product.serial_key.clone(),
        reported: Some(reported),
        batch_id: None,
        offer_expires_at: None,
        version: 1,
        created_at: context.now,
        changed_at: context.now,
    }
}
