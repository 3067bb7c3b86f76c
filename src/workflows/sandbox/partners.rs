//! The dealers that every sandbox begins with, and customers to report lines of.

use super::businesses::number_of;
use super::people::{ACTIVE, SUSPENDED};
use super::{account_id, fixed, seeding};
use crate::domain::account::AccountId;
use crate::domain::event::Event;
use crate::domain::member_number::MemberNumber;
use crate::domain::partner::{CredentialId, PartnerId, PartnerStatus, Scope};
use crate::error::{Error, Result};
use crate::repository::credentials::{self, Credential};
use crate::repository::partners::{self, Partner};
use crate::repository::{DbConn, accounts, events, trusted_partners};
use crate::secrets::sha256_hex;
use crate::types::Json;
use crate::workflows::Context;

/// A dealer that is seeded, with the one system that it has.
#[derive(Debug, Clone, Copy)]
pub struct Dealer {
    n: u128,
    pub name: &'static str,
    country: &'static str,
    contact_email: &'static str,
    /// As published as the passwords of the sandbox.
    pub client_secret: &'static str,
    /// The numbers of the accounts that trust it.
    trusted_by: &'static [u128],
}

impl Dealer {
    /// The dealer.
    pub fn partner_id(&self) -> PartnerId {
        fixed(self.n).into()
    }

    /// What its system signs in with.
    pub fn client_id(&self) -> CredentialId {
        fixed(self.n + 1).into()
    }

    /// The accounts that trust it.
    pub fn trusted_by(&self) -> impl Iterator<Item = AccountId> {
        self.trusted_by.iter().copied().map(account_id)
    }
}

/// One whom a customer trusts, and one whom nobody does.
pub const DEALERS: [Dealer; 2] = [
    Dealer {
        n: 300,
        name: "Foto Nord",
        country: "DK",
        contact_email: "it@fotonord.example",
        client_secret: "cps_test_FotoNord-FotoNord-FotoNord-FotoNord-0000001",
        trusted_by: &[1],
    },
    Dealer {
        n: 302,
        name: "Kamerahuset",
        country: "SE",
        contact_email: "it@kamerahuset.example",
        client_secret: "cps_test_Kamerahuset-Kamerahuset-Kamerahuset-0000001",
        trusted_by: &[],
    },
];

/// Customers as a dealer names them, one of each kind.
#[derive(Debug, Clone)]
pub struct Customers {
    /// By the number of an account.
    pub account_number: String,
    /// By VAT number and e-mail address.
    pub vat_number: &'static str,
    pub email: &'static str,
    /// The number of an account that is suspended: it is not found.
    pub suspended: String,
}

impl Customers {
    /// Those that are seeded.
    pub fn seeded() -> Self {
        let [_, _, by_vat, ..] = ACTIVE;
        Self {
            account_number: number_of(1),
            vat_number: by_vat.vat_number,
            email: by_vat.contact.0,
            suspended: number_of(SUSPENDED),
        }
    }
}

/// The member whose number a dealer can ask for: the one with a membership.
pub fn member_number() -> String {
    MemberNumber::from_random([0, 0, 0, 0, 0, 0, 0, 2]).to_string()
}

/// A member number with right check digits that nobody has.
pub fn unknown_number() -> String {
    MemberNumber::from_random([255; 8]).to_string()
}

/// Seeds the dealers.
pub fn seed(conn: &mut DbConn, context: &Context) -> Result<()> {
    for dealer in DEALERS {
        let country = dealer.country.parse();
        let partner = Partner {
            id: dealer.partner_id(),
            version: 1,
            name: dealer.name.to_owned(),
            country: country.map_err(Error::internal("seeding a dealer"))?,
            contact_email: dealer.contact_email.to_owned(),
            status: PartnerStatus::Active,
            lines_per_day: None,
            created_at: context.now,
        };
        partners::insert(conn, &partner)?;
        credentials::insert(conn, &credential(context, &dealer)?)?;
        let happened = [
            Event::PartnerCreated {
                partner_id: partner.id,
                status: partner.status,
            },
            Event::CredentialCreated {
                partner_id: partner.id,
                credential_id: dealer.client_id(),
                scopes: Scope::ALL.to_vec(),
            },
        ];
        events::record(conn, &seeding().stamp(context.now), &happened)?;
        for account in dealer.trusted_by() {
            let account = accounts::lock(conn, &seeding().on(account))?;
            let stored = trusted_partners::insert(conn, &account, partner.id, context.now)?;
            stored.or_contended()?;
        }
    }
    Ok(())
}

fn credential(context: &Context, dealer: &Dealer) -> Result<Credential> {
    Ok(Credential {
        id: dealer.client_id(),
        partner_id: dealer.partner_id(),
        version: 1,
        name: "Kasse 1".to_owned(),
        secret_hash: sha256_hex(dealer.client_secret.as_bytes()),
        previous_hash: None,
        previous_until: None,
        scopes: Json::of(&Scope::ALL)?,
        networks: Json::of(&Vec::<String>::new())?,
        created_at: context.now,
        last_used_at: None,
        revoked_at: None,
        token_version: 1,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::partner::SECRET_PREFIXES;
    use crate::secrets::is_random_token;

    #[test]
    fn the_secrets_have_the_shape_of_those_of_a_sandbox() {
        for dealer in DEALERS {
            let [_, sandbox] = SECRET_PREFIXES;
            assert!(is_random_token(sandbox, dealer.client_secret));
        }
    }
}
