//! The old CPS accounts that every sandbox begins with, and how far two businesses have come in proving theirs.

use chrono::TimeDelta;

use super::tokens::{MIGRATION_CODE, MIGRATION_CODE_DAYS, seed_migration_code};
use super::{account_id, seeding};
use crate::domain::values::email_key;
use crate::error::Result;
use crate::repository::legacy_migration::{self as legacy, Proof};
use crate::repository::{DbConn, accounts};
use crate::workflows::mail::Recipient;
use crate::workflows::{Context, legacy_migration};

const LEGACY_ACCOUNTS: &str = include_str!("../../seed/legacy_accounts.csv");

/// The business that a code was mailed to, and the one that has entered its code, with their old addresses.
const ASKED: (u128, &str) = (6, "tidligere@klitfoto.example");
const PROVEN: (u128, &str) = (7, "tidligere@storstrom.example");

/// The old address of the `n`-th business.
pub fn old_address(n: u128) -> Option<&'static str> {
    let of = [ASKED, PROVEN].into_iter().find(|(owner, _)| *owner == n);
    of.map(|(_, address)| address)
}

/// Seeds the old accounts and the proofs.
pub fn seed(conn: &mut DbConn, context: &Context) -> Result<()> {
    legacy_migration::import(conn, context, seeding(), LEGACY_ACCOUNTS)?;
    for ((n, address), is_proven) in [(ASKED, false), (PROVEN, true)] {
        let account = accounts::lock(conn, &seeding().on(account_id(n)))?;
        let code = context.sealer.seal(MIGRATION_CODE.as_bytes())?;
        let proof = Proof {
            account_id: account.id,
            email_key: email_key(address),
            sealed_code: (!is_proven).then_some(code),
            expires_at: context.now.plus(TimeDelta::days(MIGRATION_CODE_DAYS)),
            tries: 0,
            mails: 1,
            mails_since: context.now,
            proven_at: is_proven.then_some(context.now),
        };
        legacy::put_proof(conn, &account, &proof)?;
        if !is_proven {
            let to = Recipient {
                address: address.to_owned(),
                ..Recipient::contact(&account)
            };
            seed_migration_code(conn, context, &to)?;
        }
    }
    Ok(())
}
