//! Pages: a limit, an opaque cursor, a next link; never a total count.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

use crate::error::{Error, Fault, FaultCode, Result};

/// How many items a page has when the caller does not say.
pub const DEFAULT_LIMIT: i64 = 25;

/// What a cursor points behind: the sort key of the last item, as text, and its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    pub key: String,
    pub id: Uuid,
}

impl Cursor {
    /// Behind an item that is sorted by its id alone.
    pub fn of_id(id: Uuid) -> Self {
        Self {
            key: String::new(),
            id,
        }
    }

    fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode(format!("{}|{}", self.id.simple(), self.key))
    }

    fn decode(text: &str) -> Option<Self> {
        let plain = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        let (id, key) = plain.split_once('|')?;
        Some(Self {
            key: key.to_owned(),
            id: Uuid::try_parse(id).ok()?,
        })
    }
}

/// What a list asks of its query.
pub trait PageParams {
    /// `limit` as sent.
    fn limit(&self) -> Option<i64>;
    /// `cursor` as sent.
    fn cursor(&self) -> Option<&str>;

    /// How many items the page holds at most.
    fn size(&self) -> i64 {
        self.limit().unwrap_or(DEFAULT_LIMIT)
    }

    /// Where the page begins.
    fn after(&self) -> Result<Option<Cursor>> {
        let Some(text) = self.cursor() else {
            return Ok(None);
        };
        let cursor = Cursor::decode(text)
            .ok_or_else(|| Fault::new("#/query/cursor", FaultCode::CursorInvalid));
        cursor.map(Some).map_err(Error::from)
    }
}

/// Declares the query parameters of a list: its own filters, then `limit` and `cursor`.
macro_rules! list_params {
    ($(#[$meta:meta])* $vis:vis struct $name:ident { $($(#[$fmeta:meta])* $field:ident: $ty:ty),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, serde::Deserialize, utoipa::IntoParams, validator::Validate)]
        #[serde(deny_unknown_fields)]
        #[into_params(parameter_in = Query)]
        $vis struct $name {
            $($(#[$fmeta])* $field: $ty,)*
            /// How many items the page holds at most.
            #[param(minimum = 1, maximum = 100, default = 25, nullable = false)]
            limit: Option<i64>,
            /// `next_cursor` of the page before.
            #[param(max_length = 400, nullable = false)]
            cursor: Option<String>,
        }

        impl $crate::handlers::extract::PageParams for $name {
            fn limit(&self) -> Option<i64> {
                self.limit
            }

            fn cursor(&self) -> Option<&str> {
                self.cursor.as_deref()
            }
        }
    };
}
pub(crate) use list_params;

/// Cuts `rows`, of which one more than the page holds was loaded, and names the cursor of the next page.
pub fn page_of<R>(
    mut rows: Vec<R>,
    size: i64,
    cursor: impl Fn(&R) -> Cursor,
) -> (Vec<R>, Option<String>) {
    let size = usize::try_from(size).unwrap_or(0);
    if rows.len() <= size {
        return (rows, None);
    }
    rows.truncate(size);
    let next = rows.last().map(|row| cursor(row).encode());
    (rows, next)
}

/// The `Link` header beside a page, with the caller's own filters.
pub fn link_next(request: &actix_web::HttpRequest, next: Option<&str>) -> Option<String> {
    let kept = request
        .query_string()
        .split('&')
        .filter(|pair| !pair.is_empty() && !pair.starts_with("cursor="));
    let query: Vec<&str> = kept.collect();
    let mut query = query.join("&");
    if !query.is_empty() {
        query.push('&');
    }
    next.map(|cursor| format!("<{}?{query}cursor={cursor}>; rel=\"next\"", request.path()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_cursor_survives_its_text(key in "\\PC{0,40}", id: u128) {
            let cursor = Cursor { key, id: Uuid::from_u128(id) };
            prop_assert_eq!(Cursor::decode(&cursor.encode()), Some(cursor));
        }

        #[test]
        fn no_text_breaks_the_decoding(text in "\\PC{0,80}") {
            let _ = Cursor::decode(&text);
        }
    }
}
