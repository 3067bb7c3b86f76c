//! Locking ledgers: those of held accounts, and accounts together with theirs.

use diesel::prelude::*;

use super::PointsAccount;
use crate::domain::account::AccountId;
use crate::error::{Error, Result};
use crate::repository::accounts::{self, Account};
use crate::repository::catalogue::{self, Version};
use crate::repository::schema::{accounts as accounts_table, points_accounts};
use crate::repository::{DbConn, Held};
use crate::{each, locked};

/// The ledger of a held account, made where there is none, held too.
pub fn lock(conn: &mut DbConn, account: &Held<Account>) -> Result<Held<PointsAccount>> {
    if let Some(ledger) = lock_made(conn, account.id)? {
        return Ok(ledger);
    }
    make(conn, account.id)?;
    lock_made(conn, account.id)?.ok_or(Error::Contended)
}

/// An account with its ledger, both held.
pub type WithLedger = (Held<Account>, Held<PointsAccount>);

/// These accounts and their ledgers, all of them held, the accounts as by [`accounts::lock_many`]; with them the version of the catalogue
/// that stands. One statement where every account has a ledger.
pub fn lock_many(conn: &mut DbConn, ids: &[AccountId]) -> Result<(Vec<WithLedger>, Version)> {
    let found = lock_joined(conn, ids)?;
    let somebody = ids.iter().filter(|id| **id != AccountId::NOTHING);
    if found.len() == somebody.count() {
        return Ok(split(found));
    }
    for account in accounts::lock_many(conn, ids)? {
        make(conn, account.id)?;
    }
    lock_joined(conn, ids).map(split)
}

type Joined = (Account, PointsAccount, Version);

fn lock_joined(conn: &mut DbConn, ids: &[AccountId]) -> Result<Vec<Joined>> {
    macro_rules! rows {
        () => {
            accounts_table::table
                .inner_join(points_accounts::table)
                .filter(accounts_table::id.eq_any(ids))
                .order(accounts_table::id)
                .select((
                    Account::as_select(),
                    PointsAccount::as_select(),
                    catalogue::version(),
                ))
        };
    }
    Ok(match conn {
        DbConn::Postgres(conn) => rows!().for_update().load(conn)?,
        DbConn::Sqlite(conn) => rows!().load(conn)?,
    })
}

fn split(found: Vec<Joined>) -> (Vec<WithLedger>, Version) {
    let version = found.last().and_then(|(_, _, version)| version.clone());
    let held = found
        .into_iter()
        .map(|(account, ledger, _)| (Held::new(account), Held::new(ledger)));
    (held.collect(), version)
}

fn make(conn: &mut DbConn, account_id: AccountId) -> Result<()> {
    let empty = PointsAccount::empty(account_id);
    each!(conn, c => diesel::insert_into(points_accounts::table)
        .values(empty)
        .on_conflict_do_nothing()
        .execute(c))?;
    Ok(())
}

fn lock_made(conn: &mut DbConn, account_id: AccountId) -> Result<Option<Held<PointsAccount>>> {
    let found: Option<PointsAccount> = locked!(
        conn,
        points_accounts::table
            .find(account_id)
            .select(PointsAccount::as_select())
    )
    .optional()?;
    Ok(found.map(Held::new))
}
