//! What callers see of dealers and of their systems.

use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::partner::{CredentialId, DealerRules, PartnerId, PartnerStatus, Scope};
use crate::domain::quota::{Quotas, Used};
use crate::domain::values::Country;
use crate::error::Result;
use crate::repository::credentials::Credential;
use crate::repository::partners::Partner;
use crate::types::{Instant, Network};

/// What a dealer may report in a day of UTC.
#[derive(Serialize, ToSchema)]
#[schema(as = PartnerQuotas)]
pub struct QuotasView {
    lines_per_day: i64,
    dry_run_lines_per_day: i64,
    /// Customers that may not be found.
    unmatched_per_day: i64,
    /// Of a dealer that is read by itself: what it has used of this day.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    used: Option<UsedView>,
}

/// What a dealer has used of a day.
#[derive(Serialize, ToSchema)]
#[schema(as = PartnerUse)]
pub struct UsedView {
    lines: i64,
    dry_run_lines: i64,
    unmatched: i64,
}

/// A dealer. Users of a business see its id, name and country.
#[derive(Serialize, ToSchema)]
#[schema(as = Partner)]
pub struct PartnerView {
    id: PartnerId,
    #[schema(example = "Foto Nord")]
    name: String,
    country: Country,
    /// This and what follows administrators see.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    contact_email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    status: Option<PartnerStatus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    quotas: Option<QuotasView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    created_at: Option<Instant>,
    /// Counts the changes; what `If-Match` names.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1)]
    version: Option<i64>,
}

impl PartnerView {
    /// What everybody sees who may look.
    pub fn named(partner: Partner) -> Self {
        Self {
            id: partner.id,
            name: partner.name,
            country: partner.country,
            contact_email: None,
            status: None,
            quotas: None,
            created_at: None,
            version: None,
        }
    }

    /// What administrators see; with what was used of this day, where it was read.
    pub fn whole(partner: Partner, rules: &DealerRules, used: Option<Used>) -> Self {
        let quotas = Quotas::of(partner.lines_per_day, rules);
        let used = used.map(|used| UsedView {
            lines: used.lines,
            dry_run_lines: used.dry_run_lines,
            unmatched: used.unmatched,
        });
        let quotas = QuotasView {
            lines_per_day: quotas.lines,
            dry_run_lines_per_day: quotas.dry_run_lines,
            unmatched_per_day: quotas.unmatched,
            used,
        };
        Self {
            contact_email: Some(partner.contact_email.clone()),
            status: Some(partner.status),
            quotas: Some(quotas),
            created_at: Some(partner.created_at),
            version: Some(partner.version),
            ..Self::named(partner)
        }
    }
}

/// A page of dealers.
#[derive(Serialize, ToSchema)]
pub struct PartnerPage {
    pub items: Vec<PartnerView>,
    #[schema(required = true)]
    pub next_cursor: Option<String>,
}

/// What a system of a dealer signs in with.
#[derive(Serialize, ToSchema)]
#[schema(as = Credential)]
pub struct CredentialView {
    id: CredentialId,
    /// The same as `id`.
    client_id: CredentialId,
    /// What the system is called.
    #[schema(example = "Kasse 1")]
    name: String,
    scopes: Vec<Scope>,
    /// Where it may be used from; empty: from everywhere.
    networks: Vec<Network>,
    created_at: Instant,
    /// When it got a token last, to the minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    last_used_at: Option<Instant>,
    /// Until when the secret before the newest one opens.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    previous_until: Option<Instant>,
    /// Counts the changes; what `If-Match` names.
    #[schema(minimum = 1)]
    version: i64,
}

impl CredentialView {
    /// The view of a credential.
    pub fn of(credential: Credential) -> Result<Self> {
        Ok(Self {
            scopes: credential.scopes()?,
            networks: credential.networks()?,
            id: credential.id,
            client_id: credential.id,
            name: credential.name,
            created_at: credential.created_at,
            last_used_at: credential.last_used_at,
            previous_until: credential.previous_until,
            version: credential.version,
        })
    }
}

/// A credential with its newest secret.
#[derive(Serialize, ToSchema)]
#[schema(as = CredentialWithSecret)]
pub struct SecretView {
    #[serde(flatten)]
    credential: CredentialView,
    /// Shown this once; only its hash is kept.
    client_secret: String,
}

impl SecretView {
    /// The view of a credential whose secret was just made.
    pub fn of((credential, secret): (Credential, SecretString)) -> Result<Self> {
        Ok(Self {
            credential: CredentialView::of(credential)?,
            client_secret: secret.expose_secret().to_owned(),
        })
    }
}

/// A page of credentials.
#[derive(Serialize, ToSchema)]
pub struct CredentialPage {
    pub items: Vec<CredentialView>,
    #[schema(required = true)]
    pub next_cursor: Option<String>,
}
