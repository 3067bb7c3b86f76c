//! Storing products: new ones, and the next versions of those that are held. The database lets one open registration have a serial number.

use diesel::prelude::*;
use diesel::upsert::excluded;

use super::Product;
use crate::each;
use crate::error::{Error, Result};
use crate::repository::backend::is_duplicate;
use crate::repository::held::{Held, store, stored};
use crate::repository::schema::products;
use crate::repository::{DbConn, MOST_ROWS};
use crate::types::Instant;

/// Stores new registrations. `Contended` where another open one came to have one of their serial numbers: who looks again finds it.
pub fn insert(conn: &mut DbConn, new: &[Product]) -> Result<()> {
    let table = products::table;
    let mut stored = 0;
    // A statement for one row is prepared once, one for many each time.
    if let [product] = new {
        stored += each!(conn, c => diesel::insert_into(table).values(product).on_conflict_do_nothing().execute(c))?;
    } else {
        for some in new.chunks(MOST_ROWS) {
            stored += each!(conn, c => diesel::insert_into(table).values(some).on_conflict_do_nothing().execute(c))?;
        }
    }
    match stored == new.len() {
        true => Ok(()),
        false => Err(Error::Contended),
    }
}

/// Stores the product as its next version. `Contended` where another open registration came to have its serial number.
pub fn store(conn: &mut DbConn, product: &mut Held<Product>, now: Instant) -> Result<()> {
    product.updated_at = now;
    match store!(conn, products, product) {
        Err(error) if is_duplicate(&error, "products", "serial_key") => Err(Error::Contended),
        rows => stored(rows),
    }
}

/// Stores products as their next versions, together: those that give a serial number up, and those that take it, in whatever order. `Contended`
/// where another open registration came to have one of the serial numbers.
pub fn store_many(conn: &mut DbConn, changed: &mut [Held<Product>], now: Instant) -> Result<()> {
    if let [product] = changed {
        return store(conn, product, now);
    }
    for product in changed.iter_mut() {
        product.version += 1;
        product.updated_at = now;
    }
    for some in changed.chunks(MOST_ROWS) {
        let ids = some.iter().map(|product| product.id);
        diesel::update(products::table.filter(products::id.eq_any(ids)))
            .set(products::holds_serial.eq(false))
            .execute(conn)?;
    }
    for some in changed.chunks(MOST_ROWS) {
        let rows: Vec<&Product> = some.iter().map(|product| &**product).collect();
        match overwrite(conn, rows) {
            Err(error) if is_duplicate(&error, "products", "serial_key") => {
                return Err(Error::Contended);
            }
            stored => stored?,
        };
    }
    Ok(())
}

fn overwrite(conn: &mut DbConn, rows: Vec<&Product>) -> QueryResult<usize> {
    each!(conn, c => diesel::insert_into(products::table)
        .values(rows)
        .on_conflict(products::id)
        .do_update()
        .set((
            products::model_id.eq(excluded(products::model_id)),
            products::version.eq(excluded(products::version)),
            products::status.eq(excluded(products::status)),
            products::serial_number.eq(excluded(products::serial_number)),
            products::serial_key.eq(excluded(products::serial_key)),
            products::serial_since.eq(excluded(products::serial_since)),
            products::purchase_date.eq(excluded(products::purchase_date)),
            products::purchase_country.eq(excluded(products::purchase_country)),
            products::dealer.eq(excluded(products::dealer)),
            products::estimated.eq(excluded(products::estimated)),
            products::checked_at.eq(excluded(products::checked_at)),
            products::end_reason.eq(excluded(products::end_reason)),
            products::updated_at.eq(excluded(products::updated_at)),
            products::ended_at.eq(excluded(products::ended_at)),
            products::holds_serial.eq(excluded(products::holds_serial)),
            products::evidence.eq(excluded(products::evidence)),
            products::recovered_at.eq(excluded(products::recovered_at)),
        ))
        .execute(c))
}
