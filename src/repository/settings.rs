//! What all instances share and no resource owns: the sandbox's clock and signing key, what was counted of the money.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::DbConn;
use super::backend::advisory_lock;
use super::schema::settings;
use crate::each;
use crate::error::Result;

/// Whose the database is: a sandbox's or a live service's.
pub const MODE: &str = "mode";
/// That the sandbox is filled.
pub const SEEDED: &str = "sandbox_seeded";
/// The sandbox's own keys.
pub const SIGNING_KEY: &str = "sandbox_signing_key";
pub const SEALING_KEY: &str = "sandbox_sealing_key";
/// How far the sandbox's clock is ahead, in microseconds.
pub const CLOCK: &str = "clock_offset_micros";
/// What was counted of the money when it was looked at last.
pub const MONEY: &str = "money_counts";

/// The value of a setting.
pub fn get(conn: &mut DbConn, name: &str) -> Result<Option<String>> {
    Ok(settings::table
        .find(name)
        .select(settings::value)
        .first(conn)
        .optional()?)
}

/// The settings of these names that are there, with their values.
pub fn several(conn: &mut DbConn, names: &[&str]) -> Result<Vec<(String, String)>> {
    let named = settings::table.filter(settings::name.eq_any(names.iter().copied()));
    Ok(named.select((settings::name, settings::value)).load(conn)?)
}

/// Sets a value.
pub fn put(conn: &mut DbConn, name: &str, value: &str) -> Result<()> {
    let row = (settings::name.eq(name), settings::value.eq(value));
    each!(conn, c => diesel::insert_into(settings::table)
        .values(row)
        .on_conflict(settings::name)
        .do_update()
        .set(settings::value.eq(value))
        .execute(c))?;
    Ok(())
}

/// Sets a whole number, unless a greater one stands; what stands afterwards.
pub fn raise(conn: &mut DbConn, name: &str, least: i64) -> Result<i64> {
    advisory_lock(conn, name)?;
    let known = get(conn, name)?.and_then(|text| text.parse().ok());
    let raised = known.map_or(least, |known: i64| known.max(least));
    put(conn, name, &raised.to_string())?;
    Ok(raised)
}

/// Counts a whole number up, from 1; what stands afterwards. Whoever counts meanwhile waits until this transaction ends.
pub fn count_up(conn: &mut DbConn, name: &str) -> Result<i64> {
    advisory_lock(conn, name)?;
    let known = get(conn, name)?.and_then(|text| text.parse().ok());
    let next = known.unwrap_or(0_i64) + 1;
    put(conn, name, &next.to_string())?;
    Ok(next)
}

/// Asks for nothing: refused where the database is away.
pub fn reach(conn: &mut DbConn) -> Result<()> {
    diesel::select(sql::<Bool>("1 = 1")).get_result::<bool>(conn)?;
    Ok(())
}

/// Sets a value unless there is one; what stands afterwards.
pub fn put_once(conn: &mut DbConn, name: &str, value: &str) -> Result<String> {
    let row = (settings::name.eq(name), settings::value.eq(value));
    each!(conn, c => diesel::insert_into(settings::table).values(row).on_conflict_do_nothing().execute(c))?;
    Ok(settings::table
        .find(name)
        .select(settings::value)
        .first(conn)?)
}
