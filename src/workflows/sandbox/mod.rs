//! What every sandbox begins with: staff, businesses and their people, and the way back to it; applications, products, old accounts and the membership have their own files.

mod applications;
mod businesses;
mod lines;
mod membership;
mod migration;
mod offers;
mod partners;
mod people;
mod products;
mod tokens;
mod transfers;

use uuid::Uuid;

use super::Context;
use crate::domain::access::ServiceAccess;
use crate::domain::account::AccountId;
use crate::domain::actor::{Cause, Stamp};
use crate::domain::file::SAMPLES;
use crate::domain::permissions::Role;
use crate::error::Result;
use crate::repository::{DbConn, catalogue, files, settings, users};
use crate::types::Instant;

pub use applications::{APPLICATIONS, Application, SAMPLE_PDF, set_password_url};
pub use lines::{MagicLine, magic_lines};
pub use partners::{Customers, DEALERS, Dealer, member_number, unknown_number};
pub use people::{MEMBERS, Member, Standing};
pub use products::TAKEN_SERIAL;
pub use transfers::{Transfer, camt};

/// The password of everybody who is seeded.
pub const PASSWORD: &str = "Sandbox-Adgang-2026";

/// The staff: e-mail, name, role.
pub const STAFF: [(&str, &str, Role); 4] = [
    ("reviewer@cps.example", "Rikke Reviewer", Role::Reviewer),
    ("support@cps.example", "Simon Support", Role::Support),
    ("finance@cps.example", "Freja Finans", Role::Finance),
    ("admin@cps.example", "Anders Admin", Role::Admin),
];

/// The number of the first of the staff, who reviews.
const REVIEWER: u128 = 100;
/// The number of the second, who supports.
const SUPPORT: u128 = 101;

/// What a sandbox keeps when it begins again: whose it is, and the keys that its instances hold.
const KEPT: [&str; 5] = [
    settings::MODE,
    settings::SEEDED,
    settings::SIGNING_KEY,
    settings::SEALING_KEY,
    // A version of the catalogue is never another one's: callers and instances go by it.
    catalogue::VERSION,
];

/// The fixed id of the `n`-th seeded thing, so that the contract's examples exist in every sandbox.
pub const fn fixed(n: u128) -> Uuid {
    Uuid::from_u128(0x7000_8000_0000_0000_0000 | n)
}

/// The `n`-th seeded account.
pub fn account_id(n: u128) -> AccountId {
    fixed(n).into()
}

/// The proof of who seeds.
#[expect(
    clippy::disallowed_methods,
    reason = "the sandbox's seed acts as the service"
)]
fn seeding() -> ServiceAccess {
    ServiceAccess::new(Cause::Seed)
}

/// Who acts where anybody has the sandbox do something.
pub fn stamp(now: Instant) -> Stamp {
    seeding().stamp(now)
}

/// Who may do with the `n`-th seeded account what the seed does.
#[cfg(test)]
pub(super) fn member(n: u128) -> crate::domain::access::AccountAccess {
    seeding().on(account_id(n))
}

/// Seeds all of it; `password_hash` is that of [`PASSWORD`].
pub fn seed(conn: &mut DbConn, context: &Context, password_hash: &str) -> Result<()> {
    for ((email, name, role), n) in STAFF.into_iter().zip(REVIEWER..) {
        let user = businesses::user(context, n, None, (email, name), role);
        let user = users::User {
            password_hash: Some(password_hash.to_owned()),
            ..user
        };
        users::insert(conn, &user)?;
    }
    businesses::seed(conn, context, password_hash)?;
    applications::seed(conn, context)?;
    products::seed(conn, context)?;
    partners::seed(conn, context)?;
    offers::seed(conn, context)?;
    lines::seed(conn, context)?;
    migration::seed(conn, context)?;
    membership::seed(conn, context)?;
    tokens::seed_session(conn, context)
}

/// Makes the schema anew and seeds it; the keys of the files that nobody knows of any more.
pub fn start_again(
    conn: &mut DbConn,
    context: &Context,
    password_hash: &str,
) -> Result<Vec<String>> {
    let kept = settings::several(conn, &KEPT)?;
    let files = files::keys(conn)?;
    conn.make_anew()?;
    for (name, value) in kept {
        settings::put(conn, &name, &value)?;
    }
    // Said, not left out: other instances take over what they read.
    settings::put(conn, settings::CLOCK, "0")?;
    seed(conn, context, password_hash)?;
    let is_sample = |key: &String| SAMPLES.contains(&key.as_str());
    Ok(files.into_iter().filter(|key| !is_sample(key)).collect())
}
