//! Products by their serial numbers.

use diesel::prelude::*;

use super::Product;
use crate::domain::model::ModelId;
use crate::domain::product::{EndReason, ProductId, ProductStatus};
use crate::error::{Error, Result};
use crate::repository::schema::products;
use crate::repository::{DbConn, MOST_ROWS};
use crate::types::Instant;

/// The registrations of these models with these serial numbers that hold them, or ended because they were stolen and are not recovered.
pub fn of_serials(
    conn: &mut DbConn,
    models: &[ModelId],
    serial_keys: &[&str],
) -> Result<Vec<Product>> {
    let mut found = Vec::new();
    for some in serial_keys.chunks(MOST_ROWS) {
        let rows: Vec<Product> = products::table
            .filter(products::model_id.eq_any(models))
            .filter(products::serial_key.eq_any(some))
            .filter(
                products::holds_serial.or(products::end_reason
                    .eq(EndReason::Stolen)
                    .assume_not_null()
                    .and(products::recovered_at.is_null())),
            )
            .select(Product::as_select())
            .load(conn)?;
        found.extend(rows);
    }
    Ok(found)
}

/// Takes their serial numbers from open registrations of held accounts: each is incomplete now, and guesses `estimated` alone.
pub fn take_serials(
    conn: &mut DbConn,
    estimated: &str,
    ids: &[ProductId],
    now: Instant,
) -> Result<()> {
    for some in ids.chunks(MOST_ROWS) {
        let open = products::table
            .filter(products::id.eq_any(some))
            .filter(products::ended_at.is_null());
        let rows = diesel::update(open)
            .set((
                products::serial_number.eq(None::<String>),
                products::serial_key.eq(None::<String>),
                products::serial_since.eq(None::<Instant>),
                products::holds_serial.eq(false),
                products::status.eq(ProductStatus::Incomplete),
                products::estimated.eq(estimated),
                products::version.eq(products::version + 1),
                products::updated_at.eq(now),
            ))
            .execute(conn)?;
        if rows < some.len() {
            return Err(Error::Contended);
        }
    }
    Ok(())
}
