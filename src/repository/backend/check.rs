//! Which databases are refused at the start.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Text;

use super::{DbConn, DbError};

/// The WAL reset bug is mended from this SQLite on.
const SQLITE_AT_LEAST: (u32, u32, u32) = (3, 51, 3);

/// Refuses a SQLite that loses data.
pub fn check_sqlite(conn: &mut DbConn) -> Result<(), DbError> {
    let version: String = diesel::select(sql::<Text>("sqlite_version()")).get_result(conn)?;
    let mut parts = version
        .split('.')
        .map(|part| part.parse::<u32>().unwrap_or(0));
    let mut next = || parts.next().unwrap_or(0);
    if (next(), next(), next()) < SQLITE_AT_LEAST {
        return Err(format!("SQLite {version} is too old: 3.51.3 or newer is needed").into());
    }
    Ok(())
}

/// Refuses a server that does not speak English: its errors are told apart by their words, since Diesel does not tell SQLSTATEs.
pub fn check_language(conn: &mut DbConn) -> Result<(), DbError> {
    let setting = sql::<Text>("current_setting('lc_messages')");
    let locale: String = diesel::select(setting).get_result(conn)?;
    if is_english(&locale) {
        return Ok(());
    }
    Err(format!(
        "PostgreSQL speaks {locale:?} to this user, who may not choose: have a superuser run ALTER ROLE … SET lc_messages = 'C' for it"
    )
    .into())
}

/// Whether errors are told in English under this `lc_messages`.
fn is_english(locale: &str) -> bool {
    let language = locale.split(['_', '.', '@']).next();
    language.is_some_and(|word| ["C", "POSIX", "en", "English"].contains(&word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_english_is_understood() {
        for locale in ["C", "C.UTF-8", "POSIX", "en_US.UTF-8", "en_GB", "en@euro"] {
            assert!(is_english(locale), "{locale}");
        }
        for locale in ["da_DK.UTF-8", "de_DE@euro", "Danish_Denmark.1252", ""] {
            assert!(!is_english(locale), "{locale}");
        }
    }
}
