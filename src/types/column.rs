//! Column types that both databases can hold: native on PostgreSQL, text on SQLite.

pub use diesel::deserialize::FromSql;
use diesel::query_builder::QueryId;
pub use diesel::serialize::ToSql;
use diesel::sql_types::{HasSqlType, SqlType};

use crate::repository::MultiBackend;

/// A UUID: `uuid` on PostgreSQL, hyphenated text on SQLite.
#[derive(Debug, Clone, Copy, Default, QueryId, SqlType)]
#[diesel(
    postgres_type(oid = 2950, array_oid = 2951),
    sqlite_type(name = "Text")
)]
pub struct SqlId;

/// A moment: `timestamptz` on PostgreSQL, text that sorts by time on SQLite.
#[derive(Debug, Clone, Copy, Default, QueryId, SqlType)]
#[diesel(
    postgres_type(oid = 1184, array_oid = 1185),
    sqlite_type(name = "Text")
)]
pub struct SqlInstant;

/// A JSON document: `jsonb` on PostgreSQL, text on SQLite.
#[derive(Debug, Clone, Copy, Default, QueryId, SqlType)]
#[diesel(
    postgres_type(oid = 3802, array_oid = 3807),
    sqlite_type(name = "Text")
)]
pub struct SqlJson;

macro_rules! multi {
    ($($sql:ty),+) => { $(
        impl HasSqlType<$sql> for MultiBackend {
            fn metadata(lookup: &mut Self::MetadataLookup) -> Self::TypeMetadata {
                MultiBackend::lookup_sql_type::<$sql>(lookup)
            }
        }
    )+ };
}
multi!(SqlId, SqlInstant, SqlJson);

/// Stores `$rust(inner)` in `$sql`: as `$pg` on PostgreSQL, through `$print` and `$parse` on SQLite.
macro_rules! column {
    ($rust:ty: $sql:ty, $pg:ty, $print:expr, $parse:expr) => {
        impl $crate::types::FromSql<$sql, diesel::pg::Pg> for $rust {
            fn from_sql(
                raw: <diesel::pg::Pg as diesel::backend::Backend>::RawValue<'_>,
            ) -> diesel::deserialize::Result<Self> {
                diesel::deserialize::FromSql::<$pg, diesel::pg::Pg>::from_sql(raw).map(Self)
            }
        }
        impl $crate::types::ToSql<$sql, diesel::pg::Pg> for $rust {
            fn to_sql<'b>(
                &'b self,
                out: &mut diesel::serialize::Output<'b, '_, diesel::pg::Pg>,
            ) -> diesel::serialize::Result {
                diesel::serialize::ToSql::<$pg, diesel::pg::Pg>::to_sql(&self.0, out)
            }
        }
        impl $crate::types::FromSql<$sql, diesel::sqlite::Sqlite> for $rust {
            fn from_sql(
                raw: <diesel::sqlite::Sqlite as diesel::backend::Backend>::RawValue<'_>,
            ) -> diesel::deserialize::Result<Self> {
                let text = <String as diesel::deserialize::FromSql<
                    diesel::sql_types::Text,
                    diesel::sqlite::Sqlite,
                >>::from_sql(raw)?;
                Ok(Self(($parse)(&text)?))
            }
        }
        impl $crate::types::ToSql<$sql, diesel::sqlite::Sqlite> for $rust {
            fn to_sql<'b>(
                &'b self,
                out: &mut diesel::serialize::Output<'b, '_, diesel::sqlite::Sqlite>,
            ) -> diesel::serialize::Result {
                out.set_value(($print)(&self.0));
                Ok(diesel::serialize::IsNull::No)
            }
        }
        impl $crate::types::FromSql<$sql, $crate::repository::MultiBackend> for $rust {
            fn from_sql(
                raw: <$crate::repository::MultiBackend as diesel::backend::Backend>::RawValue<'_>,
            ) -> diesel::deserialize::Result<Self> {
                raw.from_sql::<Self, $sql>()
            }
        }
        impl $crate::types::ToSql<$sql, $crate::repository::MultiBackend> for $rust {
            fn to_sql<'b>(
                &'b self,
                out: &mut diesel::serialize::Output<'b, '_, $crate::repository::MultiBackend>,
            ) -> diesel::serialize::Result {
                out.set_value((<$sql>::default(), self));
                Ok(diesel::serialize::IsNull::No)
            }
        }
    };
}
pub(crate) use column;
