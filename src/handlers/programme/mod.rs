//! The programme as everybody may see it: terms, levels, countries, documents, seller. What forms keep to is in `conditions`.

mod conditions;

use actix_web::web::Data;
use actix_web::{HttpRequest, get};
use serde::Serialize;
use utoipa::ToSchema;

use conditions::{AnswerTime, BankTransfer, OverdueSteps, ProgrammeLimits, ProgrammeTerms};

use super::answer::Answer;
use super::language::preferred;
use super::service::Service;
use super::{Callers, RateLimit, Routes};
use crate::domain::document::{DocumentKind, accepted_kinds};
use crate::domain::invoice::PaymentMethod;
use crate::domain::language::Language;
use crate::domain::membership::{Level, Track};
use crate::domain::money::{Currency, Money};
use crate::domain::values::Country;
use crate::error::Result;
use crate::programme::{Programme, Seller};
use crate::types::Instant;

/// Registers the operations of this module.
pub fn routes(config: &mut impl Routes) {
    config.service(read_programme, Callers::Anybody, RateLimit::PerCaller);
}

/// A yearly fee that goes by the complete products at joining.
#[derive(Serialize, ToSchema)]
struct FeeTierView {
    /// The most complete products of this tier; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, nullable = false)]
    up_to_products: Option<u64>,
    /// Without VAT.
    fee: Money,
}

/// A level of the programme.
#[derive(Serialize, ToSchema)]
#[schema(as = ProgrammeLevel)]
struct LevelView {
    /// What joining names it by.
    #[schema(example = "gold")]
    level: String,
    #[schema(example = "Gold")]
    name: String,
    track: Track,
    /// Up and down within its track.
    rank: i64,
    /// It opens with at least so many points.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    at_least: Option<i64>,
    /// Or with more than so many.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    above: Option<i64>,
    /// The yearly fee without VAT, where it is one for all.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    fee: Option<Money>,
    /// Or the yearly fees by complete products, rising.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    fees: Vec<FeeTierView>,
    /// Whether fees and benefits are made up.
    example: bool,
    /// In the caller's language.
    benefits: Vec<String>,
}

impl LevelView {
    fn of(level: &Level, currency: Currency, language: Language) -> Self {
        let tiers = level.fees.iter().map(|tier| FeeTierView {
            up_to_products: tier.up_to_products,
            fee: Money::new(tier.fee.0, currency),
        });
        Self {
            level: level.code.clone(),
            name: level.name.clone(),
            track: level.track,
            rank: level.rank,
            at_least: level.at_least,
            above: level.above,
            fee: level.fee.map(|fee| Money::new(fee.0, currency)),
            fees: tiers.collect(),
            example: level.example,
            benefits: level.benefits_in(language).to_vec(),
        }
    }
}

/// The kinds of documents of which one is enough.
#[derive(Serialize, ToSchema)]
struct DocumentKinds {
    vat_registered: &'static [DocumentKind],
    not_vat_registered: &'static [DocumentKind],
}

/// Who sells the memberships.
#[derive(Serialize, ToSchema)]
struct ProgrammeSeller {
    /// Whether it is made up.
    example: bool,
    name: String,
    street: String,
    postal_code: String,
    city: String,
    country: Country,
    /// Without the country's prefix.
    vat_number: String,
    /// What it invoices in.
    currency: Currency,
}

impl ProgrammeSeller {
    fn of(seller: &Seller) -> Self {
        Self {
            example: seller.example,
            name: seller.name.clone(),
            street: seller.street.clone(),
            postal_code: seller.postal_code.clone(),
            city: seller.city.clone(),
            country: seller.country,
            vat_number: seller.vat_number.clone(),
            currency: seller.currency,
        }
    }
}

/// Where people get help.
#[derive(Serialize, ToSchema)]
struct HelpView {
    email: String,
    desk: String,
}

/// The programme.
#[derive(Serialize, ToSchema)]
struct ProgrammeView {
    #[schema(example = "Canon Professional Services")]
    name: String,
    /// Registering and joining accept this version.
    #[schema(example = "2026-01")]
    terms_version: String,
    terms: ProgrammeTerms,
    limits: ProgrammeLimits,
    answer_time: AnswerTime,
    /// By track and rank.
    levels: Vec<LevelView>,
    /// With so many points an account is invited.
    #[schema(example = 500)]
    invitation_points: i64,
    /// Where a business may come from.
    countries: Vec<Country>,
    /// In these only the mainland takes part.
    mainland_only: Vec<Country>,
    document_kinds: DocumentKinds,
    payment_methods: &'static [PaymentMethod],
    /// An invoice is due so many days after its date.
    #[schema(minimum = 0, example = 30)]
    invoice_due_days: u32,
    overdue: OverdueSteps,
    bank_transfer: BankTransfer,
    seller: ProgrammeSeller,
    /// Of mails and answers; the first stands in for any other.
    languages: Vec<Language>,
    help: HelpView,
}

impl ProgrammeView {
    fn of(programme: &Programme, language: Language, now: Instant) -> Result<Self> {
        let seller = &programme.seller;
        let mut levels: Vec<&Level> = programme.levels.iter().collect();
        levels.sort_by_key(|level| (level.track, level.rank));
        let levels = levels
            .into_iter()
            .map(|level| LevelView::of(level, seller.currency, language));
        Ok(Self {
            name: programme.name.clone(),
            terms_version: programme.terms_version.clone(),
            terms: ProgrammeTerms::of(programme, language),
            limits: ProgrammeLimits::of(programme),
            answer_time: AnswerTime::of(&programme.review, now),
            levels: levels.collect(),
            invitation_points: programme.invitation.points,
            countries: programme.countries.clone(),
            mainland_only: programme.mainland_only.clone(),
            document_kinds: DocumentKinds {
                vat_registered: accepted_kinds(true),
                not_vat_registered: accepted_kinds(false),
            },
            payment_methods: PaymentMethod::ALL,
            invoice_due_days: programme.invoice.due_days,
            overdue: OverdueSteps::of(&programme.overdue),
            bank_transfer: BankTransfer::of(programme, language)?,
            seller: ProgrammeSeller::of(seller),
            languages: programme.languages.clone(),
            help: HelpView {
                email: programme.help.email.clone(),
                desk: programme.help.desk.clone(),
            },
        })
    }
}

/// Read the programme
///
/// What a sign-up form needs to know: the current terms, the levels with their fees and benefits, who may take part, which documents prove a
/// business, what they and passwords keep to, and when staff answer. Terms, benefits and notices are in the caller's language.
#[utoipa::path(
    tag = "membership",
    operation_id = "readProgramme",
    responses((status = 200, description = "The programme", body = ProgrammeView, headers(("ETag" = String))))
)]
#[get("/programme")]
async fn read_programme(service: Data<Service>, request: HttpRequest) -> Result<Answer> {
    let language = preferred(request.headers());
    let view = ProgrammeView::of(&service.programme, language, service.now())?;
    Ok(Answer::ok(&view)?
        .etag_of_body()
        .header("Cache-Control", "public, max-age=300"))
}
