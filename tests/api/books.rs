//! The books of money in every database that a test leaves behind, and the documents in it.

use cps_api::repository::DbConn;
use cps_api::workflows::verify_money::{Verdict, verify};
use diesel::prelude::*;

use crate::invoice_files::left;

/// Fails where a sum of money is wrong; a database without tables has none.
pub fn are_right(mut conn: DbConn) {
    let tables = diesel::sql_query("SELECT 1 FROM seller_terms LIMIT 1").execute(&mut conn);
    if tables.is_err() {
        return;
    }
    match verify(&mut conn).unwrap() {
        Verdict::Right { .. } => left::keep(&mut conn),
        Verdict::Wrong(first) => panic!("the books are wrong: {first}"),
    }
}
