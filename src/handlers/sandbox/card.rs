//! The card of the sandbox: all that a reader needs to begin at once.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::account::{AccountId, AccountStatus};
use crate::domain::permissions::Role;
use crate::error::Result;
use crate::integrations::cards::SANDBOX_TOKENS;
use crate::repository::DbConn;
use crate::repository::legacy_migration::{self as legacy, LegacyAccount, LegacyProduct};
use crate::workflows::Links;
use crate::workflows::sandbox::{
    APPLICATIONS, MEMBERS, PASSWORD, STAFF, Standing, TAKEN_SERIAL, account_id, set_password_url,
};

/// All that is seeded.
#[derive(Serialize, ToSchema)]
pub struct SandboxCard {
    staff: Vec<StaffCard>,
    members: Vec<MemberCard>,
    applications: Vec<ApplicationCard>,
    legacy_accounts: Vec<LegacyCard>,
    /// Dealers' systems.
    partners: Vec<PartnerCard>,
    magic: Magic,
}

/// A member of staff who can sign in.
#[derive(Serialize, ToSchema)]
pub struct StaffCard {
    email: &'static str,
    password: &'static str,
    roles: Vec<Role>,
}

/// A member who can sign in.
#[derive(Serialize, ToSchema)]
pub struct MemberCard {
    email: &'static str,
    password: &'static str,
    account_id: AccountId,
    role: Role,
    /// How the business stood when the sandbox began.
    state: Standing,
}

/// A business on its way to an account.
#[derive(Serialize, ToSchema)]
pub struct ApplicationCard {
    account_id: AccountId,
    company_name: &'static str,
    contact_email: &'static str,
    /// The bearer token of the applicant; none where the case is with the staff or the first password is next.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    applicant_token: Option<&'static str>,
    /// The link from the mailbox that sets the first password.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    set_password_url: Option<String>,
    /// How it stood when the sandbox began; the case in review is with the first of the staff.
    state: AccountStatus,
}

/// An old CPS account whose products nobody has taken over yet.
#[derive(Serialize, ToSchema)]
pub struct LegacyCard {
    email: String,
    member_number: String,
    products: Vec<LegacyProductCard>,
}

/// A product of an old CPS account.
#[derive(Serialize, ToSchema)]
pub struct LegacyProductCard {
    legacy_reference: String,
    model: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    serial_number: Option<String>,
}

/// A dealer's system that can sign in.
#[derive(Serialize, ToSchema)]
pub struct PartnerCard {
    client_id: String,
    client_secret: String,
}

/// Values that do something special, each with what it does.
#[derive(Serialize, ToSchema)]
pub struct Magic {
    /// By what a registration with it answers.
    serial_numbers: std::collections::BTreeMap<&'static str, &'static str>,
    /// By what registering with it answers.
    vat_numbers: std::collections::BTreeMap<&'static str, &'static str>,
    /// By what joining with it does.
    card_tokens: std::collections::BTreeMap<&'static str, &'static str>,
}

/// The card, with what stands in the database by now.
pub fn load(conn: &mut DbConn, links: &Links) -> Result<SandboxCard> {
    let staff = STAFF.map(|(email, _, role)| StaffCard {
        email,
        password: PASSWORD,
        roles: vec![role],
    });
    let members = MEMBERS.map(|member| MemberCard {
        email: member.email,
        password: PASSWORD,
        account_id: account_id(member.account),
        role: member.role,
        state: member.standing,
    });
    Ok(SandboxCard {
        staff: staff.into(),
        members: members.into(),
        applications: application_cards(links),
        legacy_accounts: legacy_cards(conn)?,
        partners: Vec::new(),
        magic: magic(),
    })
}

fn application_cards(links: &Links) -> Vec<ApplicationCard> {
    let cards = APPLICATIONS.map(|application| ApplicationCard {
        account_id: account_id(application.business.n),
        company_name: application.business.company,
        contact_email: application.business.contact.0,
        applicant_token: application.applicant_token,
        set_password_url: (application.status == AccountStatus::Approved)
            .then(|| set_password_url(links)),
        state: application.status,
    });
    cards.into()
}

fn magic() -> Magic {
    Magic {
        serial_numbers: [
            ("4549292132106", "serial_is_barcode"),
            ("000000", "serial_format"),
            (TAKEN_SERIAL.0, "serial_already_registered"),
        ]
        .into(),
        vat_numbers: [("13585628", "accepted"), ("13585627", "vat_number_invalid")].into(),
        card_tokens: SANDBOX_TOKENS
            .iter()
            .map(|known| (known.token, known.effect))
            .collect(),
    }
}

/// How many old accounts the card shows.
const MOST: i64 = 20;

fn legacy_cards(conn: &mut DbConn) -> Result<Vec<LegacyCard>> {
    let waiting = legacy::waiting(conn, MOST)?;
    let cards = waiting.into_iter().map(|account| {
        let products = legacy::products(conn, account.id)?;
        Ok(legacy_card(account, products))
    });
    cards.collect()
}

fn legacy_card(account: LegacyAccount, products: Vec<LegacyProduct>) -> LegacyCard {
    let products = products.into_iter().map(|product| LegacyProductCard {
        legacy_reference: product.legacy_reference,
        model: product.model,
        serial_number: product.serial_number,
    });
    LegacyCard {
        email: account.email,
        member_number: account.member_number,
        products: products.collect(),
    }
}
