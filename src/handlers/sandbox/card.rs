//! The card of the sandbox: all that a reader needs to begin at once.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::domain::account::{AccountId, AccountStatus};
use crate::domain::partner::{CredentialId, PartnerId, Scope};
use crate::domain::permissions::Role;
use crate::domain::registration::SentLine;
use crate::domain::values::Country;
use crate::error::Result;
use crate::integrations::cards::SANDBOX_TOKENS;
use crate::repository::DbConn;
use crate::repository::legacy_migration::{self as legacy, LegacyAccount, LegacyProduct};
use crate::workflows::Links;
use crate::workflows::sandbox::{
    APPLICATIONS, Customers, DEALERS, Dealer, MEMBERS, MagicLine, PASSWORD, STAFF, Standing,
    TAKEN_SERIAL, account_id, magic_lines, member_number, set_password_url, unknown_number,
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
    /// Of whom dealers can report something.
    customers: CustomersCard,
    /// Lines that come to something, ready to be sent.
    lines: Vec<LineCard>,
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
    name: &'static str,
    partner_id: PartnerId,
    client_id: CredentialId,
    client_secret: &'static str,
    scopes: &'static [Scope],
    /// The accounts that trust the dealer.
    trusted_by: Vec<AccountId>,
}

/// A line of a dealer, and what it comes to in a fresh sandbox.
#[derive(Serialize, ToSchema)]
pub struct LineCard {
    /// What makes it so.
    #[schema(pattern = "^[a-z_]+$")]
    state: &'static str,
    /// Who sends it.
    partner_id: PartnerId,
    #[schema(value_type = SentLine)]
    line: Value,
    /// The `status` of its answer, or the `code` of its refusal.
    answer: &'static str,
}

/// Customers as a dealer names them.
#[derive(Serialize, ToSchema)]
pub struct CustomersCard {
    /// Of a member.
    member_number: String,
    /// Of a business that is no member.
    account_number: String,
    vat: VatCustomerCard,
    /// The account number of a business that is suspended: it is not found.
    suspended: String,
    /// A member number that nobody has.
    unknown: String,
}

/// A customer by VAT number and e-mail address.
#[derive(Serialize, ToSchema)]
pub struct VatCustomerCard {
    vat_number: &'static str,
    vat_country: Country,
    email: &'static str,
}

/// Values that do something special, each with what it does.
#[derive(Serialize, ToSchema)]
pub struct Magic {
    /// By what a registration with it answers; those of `lines` by what the line comes to.
    serial_numbers: std::collections::BTreeMap<String, &'static str>,
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
        partners: DEALERS.map(partner_card).into(),
        customers: customers_card(),
        lines: magic_lines().into_iter().map(line_card).collect(),
        magic: magic(),
    })
}

fn partner_card(dealer: Dealer) -> PartnerCard {
    PartnerCard {
        name: dealer.name,
        partner_id: dealer.partner_id(),
        client_id: dealer.client_id(),
        client_secret: dealer.client_secret,
        scopes: Scope::ALL,
        trusted_by: dealer.trusted_by().collect(),
    }
}

fn line_card(magic: MagicLine) -> LineCard {
    LineCard {
        state: magic.state,
        partner_id: magic.dealer.partner_id(),
        line: magic.line,
        answer: magic.answer,
    }
}

fn customers_card() -> CustomersCard {
    let seeded = Customers::seeded();
    CustomersCard {
        member_number: member_number(),
        account_number: seeded.account_number,
        vat: VatCustomerCard {
            vat_number: seeded.vat_number,
            vat_country: Country::DK,
            email: seeded.email,
        },
        suspended: seeded.suspended,
        unknown: unknown_number(),
    }
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
    let of_businesses = [
        ("4549292132106", "serial_is_barcode"),
        ("000000", "serial_format"),
        (TAKEN_SERIAL.0, "serial_already_registered"),
    ];
    let of_businesses = of_businesses.map(|(serial, answer)| (serial.to_owned(), answer));
    let of_lines = magic_lines().into_iter().filter_map(|magic| {
        let serial = magic.line.get("serial_number")?.as_str()?.to_owned();
        Some((serial, magic.answer))
    });
    Magic {
        serial_numbers: of_businesses.into_iter().chain(of_lines).collect(),
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
