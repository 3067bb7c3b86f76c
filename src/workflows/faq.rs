//! What the answers to a member's questions are made from.

use chrono::NaiveDate;

use super::Context;
use super::collection;
use super::membership::level_name;
use super::{legacy_migration, products::missing_of};
use crate::domain::access::AccountAccess;
use crate::domain::legacy_migration::Availability;
use crate::domain::membership::{
    CorporateSwitch, Level, corporate_available, next_thresholds, open_levels,
};
use crate::domain::product::{ProductField, ProductId, ProductStatus};
use crate::error::Result;
use crate::repository::products::{self, Listing, Product};
use crate::repository::{DbConn, memberships, models, points};

/// So many products without a tick are named.
const NAMED: i64 = 20;

/// What an account's own answers are made from.
#[derive(Debug, Clone)]
pub struct Facts {
    pub migration: Availability,
    pub level: LevelFacts,
    pub products: ProductFacts,
}

/// Why no level can be chosen, or which can.
#[derive(Debug, Clone)]
pub struct LevelFacts {
    /// Points that count.
    pub points: i64,
    /// The level and the last day of the membership that runs.
    pub membership: Option<(String, NaiveDate)>,
    /// A membership ended unpaid.
    pub owes: bool,
    /// What the levels that are open are called.
    pub open: Vec<String>,
    /// The next one that is not, and how many points it takes.
    pub next: Option<(String, i64)>,
}

/// Which products have no tick.
#[derive(Debug, Clone)]
pub struct ProductFacts {
    pub has_any: bool,
    /// Newest first.
    pub unticked: Vec<Unticked>,
    /// There are more than are named.
    pub has_more: bool,
}

/// A product without a tick.
#[derive(Debug, Clone)]
pub struct Unticked {
    pub id: ProductId,
    pub model: String,
    /// Nothing where its serial number is in doubt.
    pub missing: Vec<ProductField>,
}

/// The facts of an account.
pub fn load(conn: &mut DbConn, context: &Context, access: &AccountAccess) -> Result<Facts> {
    Ok(Facts {
        migration: legacy_migration::availability(conn, access)?,
        level: level_facts(conn, context, access)?,
        products: product_facts(conn, access)?,
    })
}

fn level_facts(conn: &mut DbConn, context: &Context, access: &AccountAccess) -> Result<LevelFacts> {
    let (all, points) = (
        &context.programme.levels,
        points::find(conn, access)?.counting(),
    );
    let mut open = open_levels(points, CorporateSwitch::Off, all)?;
    if corporate_available(points, all) {
        open.extend(open_levels(points, CorporateSwitch::On, all)?);
    }
    let name = |level: &&Level| level.name.clone();
    let next = next_thresholds(points, all).into_iter().next();
    let membership = memberships::active(conn, access.account_id())?;
    Ok(LevelFacts {
        points,
        membership: membership.map(|one| {
            (
                level_name(&context.programme.levels, &one.level).to_owned(),
                one.ends_date,
            )
        }),
        owes: collection::owes(conn, context, access.account_id())?,
        open: open.iter().map(name).collect(),
        next: next.map(|level| (level.name.clone(), level.points_missing(points))),
    })
}

fn product_facts(conn: &mut DbConn, access: &AccountAccess) -> Result<ProductFacts> {
    let mut found: Vec<Product> = Vec::new();
    for status in [ProductStatus::Incomplete, ProductStatus::Disputed] {
        let listing = Listing {
            status: Some(status),
            limit: NAMED + 1,
            ..Listing::default()
        };
        found.extend(products::list(conn, access, &listing)?);
    }
    let named = usize::try_from(NAMED).unwrap_or(0);
    let has_more = found.len() > named;
    found.truncate(named);
    let ids: Vec<_> = found.iter().map(|product| product.model_id).collect();
    let models = models::of_ids(conn, &ids)?;
    let unticked = found.into_iter().map(|product| Unticked {
        id: product.id,
        model: models
            .get(&product.model_id)
            .map_or_else(String::new, |model| model.name.clone()),
        missing: missing_of(&product),
    });
    let unticked: Vec<Unticked> = unticked.collect();
    let any = Listing {
        limit: 1,
        ..Listing::default()
    };
    Ok(ProductFacts {
        has_any: !products::list(conn, access, &any)?.is_empty(),
        unticked,
        has_more,
    })
}
