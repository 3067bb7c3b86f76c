//! The businesses that every sandbox begins with, and the people who can sign in for them.

use chrono::TimeDelta;
use serde_json::json;

use super::{account_id, applications, fixed, seeding};
use crate::domain::access::UserId;
use crate::domain::account::{AccountId, AccountStatus, account_number};
use crate::domain::document::DocumentStatus;
use crate::domain::event::Event;
use crate::domain::language::Language;
use crate::domain::permissions::Role;
use crate::domain::values::{Country, email_key};
use crate::error::Result;
use crate::repository::accounts::{self, Account};
use crate::repository::users::{self, User};
use crate::repository::{DbConn, documents, events};
use crate::types::{Json, text_enum};
use crate::workflows::Context;

/// A business that is seeded: its number, what it is called, where it is, who answers for it.
#[derive(Debug, Clone, Copy)]
pub struct Business {
    pub n: u128,
    pub company: &'static str,
    pub vat_number: &'static str,
    pub postal_code: &'static str,
    pub city: &'static str,
    pub contact: (&'static str, &'static str),
}

text_enum! {
    /// How a seeded business stood when the sandbox began.
    pub enum Standing {
        /// It was not invited.
        NoMembership = "no_membership",
        /// It is a member.
        Member = "member",
        /// It is invited, and every individual level up to gold is open.
        ReadyToJoin = "ready_to_join",
        /// It has more than 2,500 points.
        CorporateAvailable = "corporate_available",
        /// Staff suspended it.
        Suspended = "suspended",
        /// It is a member, and its invoice is overdue.
        PastDue = "past_due",
        /// It is a member whose benefits stopped, since its invoice is overdue for long.
        BenefitsStopped = "benefits_stopped",
        /// It was a member and did not pay.
        EndedUnpaid = "ended_unpaid",
    }
}

/// Somebody who can sign in for a seeded business.
#[derive(Debug, Clone, Copy)]
pub struct Member {
    n: u128,
    pub account: u128,
    pub email: &'static str,
    name: &'static str,
    pub role: Role,
    pub standing: Standing,
}

const fn business(
    n: u128,
    (company, vat_number): (&'static str, &'static str),
    (postal_code, city): (&'static str, &'static str),
    contact: (&'static str, &'static str),
) -> Business {
    Business {
        n,
        company,
        vat_number,
        postal_code,
        city,
        contact,
    }
}

/// The businesses whose accounts are active, or were before they were suspended.
pub(super) const ACTIVE: [Business; 8] = [
    business(
        1,
        ("Fjord Foto ApS", "24256790"),
        ("8000", "Aarhus C"),
        ("mette@fjordfoto.example", "Mette Fjord"),
    ),
    business(
        2,
        ("Lys & Skygge Produktion A/S", "10150817"),
        ("5000", "Odense C"),
        ("jonas@lysogskygge.example", "Jonas Lys"),
    ),
    business(
        6,
        ("Klitfoto ApS", "31415926"),
        ("9990", "Skagen"),
        ("kirsten@klitfoto.example", "Kirsten Klit"),
    ),
    business(
        7,
        ("Storstrøm Studier A/S", "42421715"),
        ("4800", "Nykøbing F"),
        ("sofie@storstrom.example", "Sofie Strøm"),
    ),
    business(
        SUSPENDED,
        ("Gammeltorv Foto ApS", "55770069"),
        ("1457", "København K"),
        ("gerda@gammeltorv.example", "Gerda Torv"),
    ),
    business(
        OWING[0],
        ("Vinterlys Foto ApS", "16180335"),
        ("7500", "Holstebro"),
        ("viggo@vinterlys.example", "Viggo Vinter"),
    ),
    business(
        OWING[1],
        ("Ravnkilde Billeder ApS", "14142134"),
        ("9610", "Nørager"),
        ("rikke@ravnkilde.example", "Rikke Ravn"),
    ),
    business(
        OWING[2],
        ("Østerå Film A/S", "57721561"),
        ("9000", "Aalborg"),
        ("oskar@osteraa.example", "Oskar Østerå"),
    ),
];

/// The accounts that have not paid their membership: for some days, for longer, and for so long that it ended.
pub(super) const OWING: [u128; 3] = [12, 13, 14];

/// The account that staff have suspended.
pub(super) const SUSPENDED: u128 = 8;

const fn member(
    n: u128,
    account: u128,
    (email, name): (&'static str, &'static str),
    role: Role,
    standing: Standing,
) -> Member {
    Member {
        n,
        account,
        email,
        name,
        role,
        standing,
    }
}

/// Who can sign in for a business; the first two are the only superusers of theirs.
pub const MEMBERS: [Member; 10] = [
    member(
        111,
        1,
        ACTIVE[0].contact,
        Role::Superuser,
        Standing::NoMembership,
    ),
    member(112, 2, ACTIVE[1].contact, Role::Superuser, Standing::Member),
    member(
        116,
        6,
        ACTIVE[2].contact,
        Role::Superuser,
        Standing::ReadyToJoin,
    ),
    member(
        121,
        6,
        ("mads@klitfoto.example", "Mads Klit"),
        Role::Member,
        Standing::ReadyToJoin,
    ),
    member(
        122,
        6,
        ("rosa@klitfoto.example", "Rosa Sand"),
        Role::ReadOnly,
        Standing::ReadyToJoin,
    ),
    member(
        117,
        7,
        ACTIVE[3].contact,
        Role::Superuser,
        Standing::CorporateAvailable,
    ),
    member(
        118,
        8,
        ACTIVE[4].contact,
        Role::Superuser,
        Standing::Suspended,
    ),
    member(
        123,
        OWING[0],
        ACTIVE[5].contact,
        Role::Superuser,
        Standing::PastDue,
    ),
    member(
        124,
        OWING[1],
        ACTIVE[6].contact,
        Role::Superuser,
        Standing::BenefitsStopped,
    ),
    member(
        125,
        OWING[2],
        ACTIVE[7].contact,
        Role::Superuser,
        Standing::EndedUnpaid,
    ),
];

/// The sandbox when a business came to it: those that have not paid were there long before.
pub(super) fn since(context: &Context, business: u128) -> Context {
    let now = match OWING.contains(&business) {
        true => context.now.plus(TimeDelta::days(-200)),
        false => context.now,
    };
    Context {
        now,
        ..context.clone()
    }
}

/// Seeds the active businesses with a document each that was accepted, and their people.
pub fn seed(conn: &mut DbConn, context: &Context, password_hash: &str) -> Result<()> {
    for business in ACTIVE {
        let context = &since(context, business.n);
        let mut account = account(context, &business);
        account.status = AccountStatus::Active;
        account.approved_at = Some(context.now);
        account.legacy_cps_email = super::migration::old_address(business.n).map(str::to_owned);
        let mut happened = vec![Event::AccountActive {
            account_id: account.id,
            status: account.status,
        }];
        if business.n == SUSPENDED {
            account.suspended_from = Some(account.status);
            account.status = AccountStatus::Suspended;
            happened.push(Event::AccountSuspended {
                account_id: account.id,
                status: account.status,
            });
        }
        accounts::insert(conn, &account)?;
        events::record(conn, &seeding().stamp(context.now), &happened)?;
        let status = DocumentStatus::Accepted;
        let document = applications::document(context, 10 + business.n, account.id, status);
        documents::insert(conn, &document)?;
    }
    for member in MEMBERS {
        let account = Some(account_id(member.account));
        let names = (member.email, member.name);
        let mut user = user(context, member.n, account, names, member.role);
        user.password_hash = Some(password_hash.to_owned());
        users::insert(conn, &user)?;
    }
    Ok(())
}

/// The account number of the `n`-th business.
pub(super) fn number_of(n: u128) -> String {
    account_number(u64::try_from(n).unwrap_or(0).to_be_bytes())
}

/// The account of a business, not submitted yet.
pub fn account(context: &Context, business: &Business) -> Account {
    let (email, name) = business.contact;
    Account {
        id: account_id(business.n),
        account_number: number_of(business.n),
        status: AccountStatus::Draft,
        version: 1,
        company_name: business.company.to_owned(),
        company_key: business.company.to_lowercase(),
        country: Country::DK,
        vat_registered: true,
        vat_number: Some(business.vat_number.to_owned()),
        street: format!("Strandvejen {}", business.n),
        postal_code: business.postal_code.to_owned(),
        city: business.city.to_owned(),
        contact_name: name.to_owned(),
        contact_email: email.to_owned(),
        contact_email_key: email_key(email),
        contact_phone: None,
        legacy_cps_email: None,
        language: Language::Da,
        source: Some("sandbox".to_owned()),
        authority_declared_at: context.now,
        authority_declared_from: "127.0.0.1".to_owned(),
        terms_version: context.programme.terms_version.clone(),
        terms_accepted_at: context.now,
        applicant_token_hash: None,
        created_at: context.now,
        updated_at: context.now,
        approved_at: None,
        ended_at: None,
        suspended_from: None,
        mailbox_used_at: None,
        contact_email_proposed: None,
        contact_email_proposed_by: None,
    }
}

/// Somebody without a password.
pub fn user(
    context: &Context,
    n: u128,
    account_id: Option<AccountId>,
    (email, name): (&str, &str),
    role: Role,
) -> User {
    User {
        id: UserId::from(fixed(n)),
        version: 1,
        account_id,
        email: email.to_owned(),
        email_key: email_key(email),
        name: name.to_owned(),
        roles: Json(json!([role])),
        language: Language::Da,
        password_hash: None,
        session_version: 1,
        created_at: context.now,
        removed_at: None,
        invited_until: None,
    }
}
