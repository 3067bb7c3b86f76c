//! Identities: prefixed on the wire, UUIDv7 behind, sortable by the time they were made.

use std::sync::{Mutex, PoisonError};

use uuid::{ContextV7, Timestamp, Uuid};

use super::Instant;

/// The text is not an id of the kind that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an id of this kind")]
pub struct BadId;

static CONTEXT: Mutex<ContextV7> = Mutex::new(ContextV7::new());

/// A new UUIDv7 of the given moment; those of one millisecond and process sort in the order they were made.
pub fn uuid_at(now: Instant) -> Uuid {
    let context = CONTEXT.lock().unwrap_or_else(PoisonError::into_inner);
    Uuid::new_v7(Timestamp::from_unix(
        &*context,
        now.unix_seconds(),
        now.subsecond_nanos(),
    ))
}

/// The least UUIDv7 of the given moment.
pub fn first_uuid_at(moment: Instant) -> Uuid {
    let milliseconds =
        moment.unix_seconds() * 1000 + u64::from(moment.subsecond_nanos() / 1_000_000);
    uuid::Builder::from_unix_timestamp_millis(milliseconds, &[0; 10]).into_uuid()
}

/// Declares the identity of one kind of resource; the ids of different kinds do not mix.
macro_rules! id {
    ($(#[$meta:meta])* $name:ident, $prefix:literal) => {
        $(#[$meta])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash,
            diesel::expression::AsExpression, diesel::deserialize::FromSqlRow,
        )]
        #[diesel(sql_type = $crate::types::SqlId)]
        pub struct $name(uuid::Uuid);

        impl $name {
            /// What its text begins with.
            pub const PREFIX: &'static str = $prefix;
            /// The id that nothing has.
            pub const NOTHING: Self = Self(uuid::Uuid::nil());

            /// A new id, made at `now`.
            pub fn new(now: $crate::types::Instant) -> Self {
                Self($crate::types::uuid_at(now))
            }

            /// Before every id that is made at `moment` or later, behind those that were made earlier.
            pub fn first_at(moment: $crate::types::Instant) -> Self {
                Self($crate::types::first_uuid_at(moment))
            }

            /// These, or the id that nothing has where there are none: looking for them takes the same statement, whether anything was found before.
            pub fn asked(mut ids: Vec<Self>) -> Vec<Self> {
                if ids.is_empty() {
                    ids.push(Self::NOTHING);
                }
                ids
            }

            /// The UUID behind the text.
            pub fn uuid(self) -> uuid::Uuid {
                self.0
            }
        }

        impl From<uuid::Uuid> for $name {
            fn from(uuid: uuid::Uuid) -> Self {
                Self(uuid)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0.simple())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::types::BadId;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let hex = text.strip_prefix($prefix).ok_or($crate::types::BadId)?;
                let canonical = hex.len() == 32 && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
                let uuid = uuid::Uuid::try_parse(hex).map_err(|_| $crate::types::BadId)?;
                if canonical { Ok(Self(uuid)) } else { Err($crate::types::BadId) }
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String)
                    .pattern(Some(concat!("^", $prefix, "[0-9a-f]{32}$")))
                    .into()
            }
        }

        impl utoipa::ToSchema for $name {}

        $crate::types::column!($name: $crate::types::SqlId, diesel::sql_types::Uuid, uuid::Uuid::to_string, uuid::Uuid::parse_str);
    };
}
pub(crate) use id;
