//! Dealers: what they may report.

use super::Context;
use crate::domain::partner::PartnerId;
use crate::domain::quota::Quotas;
use crate::error::{Code, Result};
use crate::repository::{DbConn, partners};

/// What a partner may report in a day.
pub fn quotas(conn: &mut DbConn, context: &Context, id: PartnerId) -> Result<Quotas> {
    let partner = partners::find_by_id(conn, id)?.ok_or(Code::NotFound)?;
    Ok(Quotas::of(
        partner.lines_per_day,
        &context.programme.dealers,
    ))
}
