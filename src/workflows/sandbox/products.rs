//! What a sandbox has of products: the catalogue, and the members' own.

use super::businesses::since;
use super::people::OWING;
use super::{account_id, fixed, seeding};
use crate::domain::model::{ModelId, name_key};
use crate::domain::product::{EndReason, ProductField, ProductId};
use crate::domain::product_details::Details;
use crate::domain::values::Country;
use crate::domain::work_item::WorkItemKind;
use crate::error::{Code, Error, Result};
use crate::repository::work_items::WorkItem;
use crate::repository::{DbConn, events};
use crate::workflows::products::{self, Inventories, Origin, checked};
use crate::workflows::work_items::{self, matter};
use crate::workflows::{Context, catalogue};

const MODELS: &str = include_str!("../../seed/models.csv");

/// A made-up model with made-up keys, since the shipped ones have none: its GTINs are of the numbers that shops give out for themselves.
const EXAMPLE: &str = "name,category,points,valid_from,manufacturer_code,gtin
Example camera of the sandbox,camera,100,2024-01-01,EXAMPLE01,2000000000015 2000000000022
";
/// The number of the model with keys.
const EXAMPLE_MODEL: usize = 899;

/// A serial number that a seeded member has registered, and its model.
pub const TAKEN_SERIAL: (&str, &str) = ("012021009001", "EOS 5D Mark III");

/// A camera of the sixth business: its model and its serial number.
pub(super) const HELD: (&str, &str) = ("EOS R1", "062021000311");

/// The seeded products: the business, the model, what is said of it. The first is complete, the second is not; those of the sixth open every level up to gold,
/// those of the seventh the corporate one.
const PRODUCTS: [(u128, &str, Option<&str>, Option<&str>); 10] = [
    (1, TAKEN_SERIAL.1, Some(TAKEN_SERIAL.0), Some("2019-05-17")),
    (1, "EF 40mm f/2.8 STM", None, Some("2019-05-17")),
    (2, "EOS R5 Mark II", Some("052021000777"), BOUGHT_LATER),
    (
        2,
        "RF 100-300mm f/2.8L IS USM",
        Some("3110000123"),
        BOUGHT_LATER,
    ),
    (6, HELD.0, Some(HELD.1), BOUGHT_LATER),
    (6, "EOS R5", Some("062021000422"), BOUGHT_LATER),
    (
        6,
        "RF 24-70mm f/2.8L IS USM",
        Some("6210000533"),
        BOUGHT_LATER,
    ),
    (
        7,
        "RF 400mm f/2.8L IS USM",
        Some("7210000611"),
        BOUGHT_LATER,
    ),
    (
        7,
        "EF 400mm f/2.8L IS III USM",
        Some("7210000722"),
        BOUGHT_LATER,
    ),
    (7, "EOS C300 Mark III", Some("072021000833"), BOUGHT_LATER),
];
/// What opened the level of each member that has not paid.
const OWNED: [(u128, &str, Option<&str>, Option<&str>); 3] = [
    (
        OWING[0],
        "EOS R5 Mark II",
        Some("122021000111"),
        BOUGHT_LATER,
    ),
    (
        OWING[1],
        "EOS R5 Mark II",
        Some("132021000222"),
        BOUGHT_LATER,
    ),
    (
        OWING[2],
        "EOS R5 Mark II",
        Some("142021000333"),
        BOUGHT_LATER,
    ),
];
/// A camera that was reported stolen and has turned up: its model and its serial number.
pub const STOLEN: (&str, &str) = ("EOS R3", "082021000944");
const BOUGHT_LATER: Option<&str> = Some("2024-11-04");

/// Seeds the catalogue and the members' products.
pub fn seed(conn: &mut DbConn, context: &Context) -> Result<()> {
    catalogue::import(conn, context, seeding(), MODELS, model_id)?;
    let example = |n| model_id(EXAMPLE_MODEL + n);
    catalogue::import(conn, context, seeding(), EXAMPLE, example)?;
    let owned = OWNED.into_iter().zip(231..);
    for ((member, model, serial, date), n) in PRODUCTS.into_iter().zip(201..).chain(owned) {
        let details = Details {
            serial_number: serial.map(str::to_owned),
            purchase_date: date.and_then(|date| date.parse().ok()),
            purchase_country: Some(Country::DK),
            dealer: Some("Foto Nord".to_owned()),
            estimated: date
                .map(|_| ProductField::PurchaseDate)
                .into_iter()
                .collect(),
            ..Details::default()
        };
        let id = (fixed(n).into(), model);
        let context = &since(context, member);
        register(conn, context, member, id, &details, Origin::Owner)?;
    }
    seed_stolen(conn, context)
}

/// One business reported a camera stolen, another one has registered it: staff have to look.
fn seed_stolen(conn: &mut DbConn, context: &Context) -> Result<()> {
    let (model, serial) = STOLEN;
    let details = |dealer: Option<&str>| Details {
        serial_number: Some(serial.to_owned()),
        purchase_date: "2024-11-04".parse().ok().filter(|_| dealer.is_some()),
        purchase_country: Some(Country::DK),
        dealer: dealer.map(str::to_owned),
        ..Details::default()
    };
    let reported = ProductId::from(fixed(212));
    let id = (reported, model);
    register(conn, context, 6, id, &details(None), Origin::Owner)?;
    let reporter = seeding().on(account_id(6));
    products::end(
        conn,
        context,
        &reporter,
        reported,
        |_| Ok(()),
        EndReason::Stolen,
    )?;
    let held = ProductId::from(fixed(211));
    let matter = WorkItem {
        id: fixed(501).into(),
        account_id: Some(account_id(7)),
        ..matter(context, WorkItemKind::StolenSerial, held)
    };
    let opened = work_items::open(conn, &[matter])?;
    events::record(conn, &reporter.stamp(context.now), &opened)?;
    let details = details(Some("Foto Nord"));
    register(conn, context, 7, (held, model), &details, Origin::Owner)
}

/// The id of the `n`-th model of the shipped catalogue.
fn model_id(n: usize) -> ModelId {
    fixed(1001 + u128::try_from(n).unwrap_or(0)).into()
}

pub(super) fn register(
    conn: &mut DbConn,
    context: &Context,
    member: u128,
    (id, model): (ProductId, &str),
    details: &Details,
    origin: Origin<'_>,
) -> Result<()> {
    let access = seeding().on(account_id(member));
    let catalogue = context.catalogue.current(conn)?;
    let model = catalogue.of_name(&name_key(model)).ok_or(Code::NotFound)?;
    let details = checked(context, model, details).map_err(Error::invalid)?;
    let wanted = Vec::from_iter(products::wanted(model, &details));
    let id = (access.account_id(), id);
    let mut inventories = Inventories::open(conn, context, catalogue.clone(), &[&access], &wanted)?;
    inventories.register(conn, id, model, details, origin)?;
    inventories.flush(conn).map(drop)
}
