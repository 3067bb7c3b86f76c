//! What administrators send about dealers and their systems.

use chrono::TimeDelta;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa::openapi::schema::Type;
use utoipa::openapi::{ArrayBuilder, ObjectBuilder, RefOr, Schema, SchemaFormat};

use crate::domain::partner::{SCOPE, Scope};
use crate::domain::values::{Country, Email, Field, Line, Text};
use crate::error::{Fault, FaultCode, Faults, Result};
use crate::handlers::extract::{Input, MERGE_PATCH, Plain};
use crate::programme::Programme;
use crate::types::Network;
use crate::workflows::{credentials, partners};

/// At least one scope, each once.
fn scopes() -> RefOr<Schema> {
    let words: Vec<&str> = Scope::ALL.iter().map(|scope| scope.as_str()).collect();
    let item = ObjectBuilder::new()
        .schema_type(Type::String)
        .format(Some(SchemaFormat::Custom(SCOPE.to_owned())));
    ArrayBuilder::new()
        .items(item)
        .min_items(Some(1))
        .max_items(Some(Scope::ALL.len()))
        .unique_items(true)
        .description(Some(format!("What it may do: {}", words.join(", "))))
        .into()
}

/// A dealer that is taken in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "name": "Fotohjørnet", "country": "DK", "contact_email": "it@fotohjornet.example" }))]
pub struct CreatePartner {
    name: Line<100>,
    country: Country,
    /// Mails about its systems go there.
    contact_email: Email,
    /// Without it, that of the programme.
    #[schema(nullable = false, minimum = 0, maximum = 10_000_000)]
    lines_per_day: Option<i64>,
}

impl Plain for CreatePartner {}

impl From<CreatePartner> for partners::Newcomer {
    fn from(body: CreatePartner) -> Self {
        Self {
            name: body.name.into(),
            country: body.country,
            contact_email: body.contact_email,
            lines_per_day: body.lines_per_day,
        }
    }
}

/// A change of a dealer, as a JSON Merge Patch (RFC 7396): what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "lines_per_day": 100_000 }))]
pub struct UpdatePartner {
    #[schema(nullable = false)]
    name: Option<Line<100>>,
    #[schema(nullable = false)]
    country: Option<Country>,
    #[schema(nullable = false)]
    contact_email: Option<Email>,
    /// Null: that of the programme.
    #[serde(default)]
    #[schema(value_type = Option<i64>, minimum = 0, maximum = 10_000_000)]
    lines_per_day: Field<i64>,
}

impl Input for UpdatePartner {
    type Parsed = partners::Change;
    const MEDIA_TYPES: &'static [&'static str] = &MERGE_PATCH;

    fn parse(self, _: &Programme, faults: Faults) -> Result<partners::Change> {
        faults.judge(Some(partners::Change {
            name: self.name.map(String::from),
            country: self.country,
            contact_email: self.contact_email,
            lines_per_day: match self.lines_per_day {
                Field::Absent | Field::Refused => None,
                sent => Some(sent.value()),
            },
        }))
    }
}

/// Why a dealer is suspended.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "reason": "Its systems report customers who never were there." }))]
pub struct SuspendPartner {
    /// For the record that staff keep.
    pub reason: Text<1000>,
}

impl Plain for SuspendPartner {}

/// A system that gets a credential.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "name": "Kasse 2", "scopes": ["registrations:write"], "networks": ["192.0.2.0/24"] }))]
pub struct CreateCredential {
    /// What the system is called.
    name: Line<100>,
    #[schema(schema_with = scopes)]
    scopes: Vec<Scope>,
    /// Where it may be used from, in CIDR notation; none: from everywhere.
    #[serde(default)]
    #[schema(required = false, max_items = 100)]
    networks: Vec<Network>,
}

impl Input for CreateCredential {
    type Parsed = credentials::New;

    fn parse(self, programme: &Programme, mut faults: Faults) -> Result<credentials::New> {
        check_networks(&self.networks, programme, &mut faults);
        faults.judge(Some(credentials::New {
            name: self.name.into(),
            scopes: sorted(self.scopes),
            networks: self.networks,
        }))
    }
}

fn check_networks(networks: &[Network], programme: &Programme, faults: &mut Faults) {
    let most = programme.dealers.networks;
    if networks.len() > most {
        faults.push(Fault::new("#/networks", FaultCode::TooMany).with("max", most));
    }
}

fn sorted(mut scopes: Vec<Scope>) -> Vec<Scope> {
    scopes.sort_unstable();
    scopes
}

/// A change of a credential, as a JSON Merge Patch (RFC 7396): what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "networks": ["192.0.2.0/24", "2001:db8::/32"] }))]
pub struct UpdateCredential {
    #[schema(nullable = false)]
    name: Option<Line<100>>,
    #[schema(schema_with = scopes, required = false)]
    scopes: Option<Vec<Scope>>,
    #[schema(nullable = false, max_items = 100)]
    networks: Option<Vec<Network>>,
}

impl Input for UpdateCredential {
    type Parsed = credentials::Change;
    const MEDIA_TYPES: &'static [&'static str] = &MERGE_PATCH;

    fn parse(self, programme: &Programme, mut faults: Faults) -> Result<credentials::Change> {
        check_networks(
            self.networks.as_deref().unwrap_or_default(),
            programme,
            &mut faults,
        );
        faults.judge(Some(credentials::Change {
            name: self.name.map(String::from),
            scopes: self.scopes.map(sorted),
            networks: self.networks,
        }))
    }
}

/// For how long the secret before goes on.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "overlap_hours": 48 }))]
pub struct RotateSecret {
    #[schema(nullable = false, minimum = 0, maximum = 720, default = 168)]
    overlap_hours: Option<i64>,
}

impl Plain for RotateSecret {}

impl RotateSecret {
    /// A week, where nothing is said.
    const DEFAULT_HOURS: i64 = 168;

    /// How long that is.
    pub fn overlap(&self) -> TimeDelta {
        TimeDelta::hours(self.overlap_hours.unwrap_or(Self::DEFAULT_HOURS))
    }
}
