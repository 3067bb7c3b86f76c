//! Whose a database is: a sandbox's or a live service's. It says so itself, from the first who comes, and never becomes the other's: the
//! passwords of a sandbox are published.

use crate::config::Mode;
use crate::error::{Error, Result};
use crate::repository::{Db, DbConn, settings};

/// Where a database says it.
const SETTING: &str = "mode";
/// What a sandbox, or any service, leaves in a database that does not say it yet.
const TRACES: [(&str, Mode); 2] = [
    (super::seed::SETTING, Mode::Sandbox),
    (super::seed::HOUSE_SETTING, Mode::Live),
];

fn word(mode: Mode) -> &'static str {
    match mode {
        Mode::Sandbox => "sandbox",
        Mode::Live => "live",
    }
}

/// What the database says, or what was left in it.
fn found(conn: &mut DbConn) -> Result<Option<String>> {
    if let Some(said) = settings::get(conn, SETTING)? {
        return Ok(Some(said));
    }
    for (trace, mode) in TRACES {
        if settings::get(conn, trace)?.is_some() {
            return Ok(Some(word(mode).to_owned()));
        }
    }
    Ok(None)
}

/// Has the database be that of `mode` from now on; an error where it is the other's. Of two who come at once the second waits here.
pub fn claim(conn: &mut DbConn, mode: Mode) -> Result<()> {
    let own = word(mode);
    let said = found(conn)?.unwrap_or_else(|| own.to_owned());
    judge(&settings::put_once(conn, SETTING, &said)?, mode)
}

/// Looks whose the database is before anything is done to it; one that nobody has used is anybody's.
pub async fn look(db: &Db, mode: Mode) -> Result<()> {
    let said = db
        .fetch(move |conn| match conn.has_table("settings")? {
            true => found(conn),
            false => Ok(None),
        })
        .await?;
    said.map_or(Ok(()), |said| judge(&said, mode))
}

fn judge(said: &str, mode: Mode) -> Result<()> {
    if said == word(mode) {
        return Ok(());
    }
    let why = match mode {
        Mode::Live => {
            "a sandbox has used this database, where people sign in with published passwords: live mode does not"
        }
        Mode::Sandbox => "this is the database of a live service: a sandbox does not touch it",
    };
    Err(Error::internal("DATABASE_URL")(why))
}
