//! The businesses that every sandbox begins with, and the people who can sign in for them. They are seeded by `businesses`.

use crate::domain::permissions::Role;
use crate::types::text_enum;

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
    pub(super) n: u128,
    pub account: u128,
    pub email: &'static str,
    pub(super) name: &'static str,
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
