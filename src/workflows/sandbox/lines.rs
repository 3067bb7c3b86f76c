//! Lines that dealers of a sandbox can send, each with what it comes to: what stands in the database makes it so, and no case of its own.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::businesses::number_of;
use super::offers::{self, STANDING};
use super::partners::{DEALERS, Dealer};
use super::products::{self as seeded, HELD, STOLEN as REPORTED};
use super::{account_id, fixed, seeding};
use crate::domain::event::Event;
use crate::domain::product::{EndReason, ProductField, ProductId};
use crate::domain::product_details::Details;
use crate::domain::registration::{RegistrationStatus, Reported};
use crate::domain::values::Country;
use crate::error::{Code, Result};
use crate::repository::products::{self as rows, Product};
use crate::repository::registrations::{self, Registration};
use crate::repository::{DbConn, events};
use crate::secrets::sha256_hex;
use crate::types::Json;
use crate::workflows::Context;
use crate::workflows::products::{self, Origin};

/// A line, who sends it, and what it comes to.
pub struct MagicLine {
    /// What makes it so.
    pub state: &'static str,
    pub dealer: &'static Dealer,
    pub line: Value,
    /// The status of its answer, or the code of its refusal.
    pub answer: &'static str,
}

/// A camera and a lens.
const CAMERA: &str = "EOS R6";
const LENS: &str = "EF 40mm f/2.8 STM";
/// A serial number that the seventh business guesses.
const GUESS: &str = "7210000944";
/// One that was reported stolen and that nobody has.
const STOLEN: &str = "082021000955";
/// What the first dealer sold to the seventh business: the numbers, the serial numbers and the dealer's ids. The first was returned, the second
/// is too old for that.
const SOLD: [(u128, &str, &str); 2] = [
    (215, "7210000955", "M-sold-1"),
    (216, "7210000966", "M-sold-2"),
];
const RETURNED: usize = 0;

/// Sales to the first business, which trusts the first dealer: what makes them so, the number of the dealer, model, serial number, answer.
const SALES: [(&str, usize, &str, &str, &str); 5] = [
    ("held_by_another", 0, HELD.0, HELD.1, "already_registered"),
    ("guess_of_another", 0, LENS, GUESS, "registered"),
    ("stolen", 0, REPORTED.0, STOLEN, "held"),
    ("offered", 1, CAMERA, "032021004433", "offered"),
    (
        "offered_already",
        1,
        STANDING.0,
        STANDING.1,
        "serial_already_reported",
    ),
];

/// Returns of what the first dealer has sold: what makes them so, the sale, the answer.
const RETURNS: [(&str, &str, &str); 2] = [
    ("returned", SOLD[0].2, "unchanged"),
    ("too_old_to_return", SOLD[1].2, "change_too_late"),
];

/// All of them, in the order of the card.
pub fn magic_lines() -> Vec<MagicLine> {
    let sales = SALES.into_iter().filter_map(|(state, dealer, model, serial, answer)| {
        let line = json!({
            "external_id": format!("M-{state}"), "account_number": number_of(1), "model": model, "serial_number": serial, "purchase_date": "2025-03-14",
        });
        let dealer = DEALERS.get(dealer)?;
        Some(MagicLine { state, dealer, line, answer })
    });
    let [dealer, _] = &DEALERS;
    let returns = RETURNS.into_iter().map(|(state, of, answer)| {
        let line = json!({ "verb": "return", "external_id": format!("M-{state}"), "of": of });
        MagicLine {
            state,
            dealer,
            line,
            answer,
        }
    });
    sales.chain(returns).collect()
}

/// Seeds what makes them so.
pub fn seed(conn: &mut DbConn, context: &Context) -> Result<()> {
    let mut guess = details(GUESS);
    guess.estimated.push(ProductField::SerialNumber);
    seeded::register(
        conn,
        context,
        7,
        (fixed(213).into(), LENS),
        &guess,
        Origin::Owner,
    )?;
    let stolen = (fixed(214).into(), REPORTED.0);
    seeded::register(conn, context, 6, stolen, &details(STOLEN), Origin::Owner)?;
    end(conn, context, 6, stolen.0, EndReason::Stolen)?;
    for (at, sold) in SOLD.into_iter().enumerate() {
        seed_sold(conn, context, sold, at == RETURNED)?;
    }
    Ok(())
}

fn details(serial: &str) -> Details {
    Details {
        serial_number: Some(serial.to_owned()),
        purchase_date: "2024-11-04".parse().ok(),
        purchase_country: Some(Country::DK),
        dealer: Some("Foto Nord".to_owned()),
        ..Details::default()
    }
}

fn end(
    conn: &mut DbConn,
    context: &Context,
    member: u128,
    id: ProductId,
    reason: EndReason,
) -> Result<()> {
    let access = seeding().on(account_id(member));
    products::end(conn, context, &access, id, |_| Ok(()), reason)
}

/// A sale of the first dealer: of today and returned, or of before the days within which it could be.
fn seed_sold(
    conn: &mut DbConn,
    context: &Context,
    (n, serial, external_id): (u128, &str, &str),
    is_returned: bool,
) -> Result<()> {
    let id = ProductId::from(fixed(n));
    seeded::register(
        conn,
        context,
        7,
        (id, LENS),
        &details(serial),
        Origin::Dealer,
    )?;
    if is_returned {
        end(conn, context, 7, id, EndReason::Returned)?;
    }
    let product = rows::find(conn, &seeding().on(account_id(7)), id)?;
    let mut line = sold(context, n, &product, external_id)?;
    match is_returned {
        true => line.status = RegistrationStatus::Returned,
        false => {
            let days = TimeDelta::days(i64::from(context.programme.dealers.change_days) + 1);
            line.created_at = context.now.plus(-days);
            line.changed_at = line.created_at;
        }
    }
    registrations::insert(conn, std::slice::from_ref(&line))?;
    let happened = told(&line, id);
    events::record(conn, &seeding().stamp(context.now), &happened)
}

fn sold(context: &Context, n: u128, product: &Product, external_id: &str) -> Result<Registration> {
    let [dealer, _] = &DEALERS;
    let reported = Reported {
        model_id: product.model_id,
        serial_number: product.serial_number.clone().ok_or(Code::NotFound)?,
        purchase_date: product.purchase_date.ok_or(Code::NotFound)?,
        purchase_country: Country::DK,
    };
    Ok(Registration {
        partner_id: dealer.partner_id(),
        external_id: external_id.to_owned(),
        body_hash: sha256_hex(external_id.as_bytes()),
        status: RegistrationStatus::Registered,
        ..offers::line(context, n, product, Json::of(&reported)?)
    })
}

/// What the dealer was told of a sale, and of its return.
fn told(line: &Registration, product_id: ProductId) -> Vec<Event> {
    let (partner_id, registration_id) = (line.partner_id, line.id);
    let external_id = || line.external_id.clone();
    let mut told = vec![Event::RegistrationRegistered {
        partner_id,
        registration_id,
        external_id: external_id(),
        status: RegistrationStatus::Registered,
        product_id,
    }];
    if line.status == RegistrationStatus::Returned {
        told.push(Event::RegistrationReturned {
            partner_id,
            registration_id,
            external_id: external_id(),
            status: line.status,
            product_id,
        });
    }
    told
}
