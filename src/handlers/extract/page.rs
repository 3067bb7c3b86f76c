//! Pages: a limit, an opaque cursor, a next link; never a total count.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};
use uuid::Uuid;

use crate::error::{Error, Fault, FaultCode, Result};
use crate::handlers::service::Service;
use crate::secrets::Marker;

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

    fn to_bytes(&self) -> Vec<u8> {
        [self.id.as_bytes(), self.key.as_bytes()].concat()
    }

    fn of_bytes(bytes: &[u8]) -> Option<Self> {
        let (id, key) = bytes.split_at_checked(16)?;
        Some(Self {
            key: String::from_utf8(key.to_vec()).ok()?,
            id: Uuid::from_slice(id).ok()?,
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
}

/// Declares the query parameters of a list: its own filters, then `limit` and `cursor`.
macro_rules! list_params {
    ($(#[$meta:meta])* $vis:vis struct $name:ident { $($(#[$fmeta:meta])* $field:ident: $ty:ty),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, serde::Deserialize, utoipa::IntoParams)]
        #[serde(deny_unknown_fields)]
        #[into_params(parameter_in = Query)]
        $vis struct $name {
            $($(#[$fmeta])* $field: $ty,)*
            /// How many items the page holds at most.
            #[param(minimum = 1, maximum = 100, default = 25, nullable = false)]
            limit: Option<i64>,
            /// `next_cursor` of the page before.
            #[param(nullable = false)]
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

/// The list that is asked for. Its cursors are marked: those of another list, or of nobody, are refused.
#[derive(Clone)]
pub struct Pages {
    path: String,
    query: String,
    marker: Marker,
}

impl FromRequest for Pages {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let service = request.app_data::<Data<Service>>();
        let pages = service.map(|service| Self {
            path: request.path().to_owned(),
            query: request.query_string().to_owned(),
            marker: service.keys.marker(),
        });
        ready(pages.ok_or_else(|| Error::internal("reading a cursor")("there is no service")))
    }
}

impl Pages {
    /// Where the page begins.
    pub fn after(&self, params: &impl PageParams) -> Result<Option<Cursor>> {
        let cursor = params.cursor().map(|text| self.read(text));
        Ok(cursor.transpose()?)
    }

    /// Where the page begins, as the list's query takes it.
    pub fn after_as<T>(
        &self,
        params: &impl PageParams,
        read: impl FnOnce(&Cursor) -> Option<T>,
    ) -> Result<Option<T>> {
        let cursor = self.after(params)?;
        let read = cursor.map(|cursor| read(&cursor).ok_or_else(not_ours));
        Ok(read.transpose()?)
    }

    fn read(&self, text: &str) -> Result<Cursor, Fault> {
        let bytes = self.marker.recognise(&self.path, text);
        bytes
            .and_then(|bytes| Cursor::of_bytes(&bytes))
            .ok_or_else(not_ours)
    }

    /// Cuts `rows`, of which one more than the page holds was loaded, and names the cursor of the next page.
    pub fn cut<R>(
        &self,
        mut rows: Vec<R>,
        size: i64,
        cursor: impl Fn(&R) -> Cursor,
    ) -> (Vec<R>, Option<String>) {
        let size = usize::try_from(size).unwrap_or(0);
        if rows.len() <= size {
            return (rows, None);
        }
        rows.truncate(size);
        let last = rows.last().map(|row| cursor(row).to_bytes());
        let next = last.and_then(|last| self.marker.mark(&self.path, &last));
        (rows, next)
    }

    /// The `Link` header beside a page, with the caller's own filters.
    pub fn link_next(&self, next: Option<&str>) -> Option<String> {
        let kept = self
            .query
            .split('&')
            .filter(|pair| !pair.is_empty() && !pair.starts_with("cursor="));
        let query: Vec<&str> = kept.collect();
        let mut query = query.join("&");
        if !query.is_empty() {
            query.push('&');
        }
        next.map(|cursor| format!("<{}?{query}cursor={cursor}>; rel=\"next\"", self.path))
    }
}

fn not_ours() -> Fault {
    Fault::new("#/query/cursor", FaultCode::CursorInvalid)
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use proptest::prelude::*;

    fn pages(path: &str) -> Pages {
        Pages {
            path: path.to_owned(),
            query: "limit=1&cursor=old".to_owned(),
            marker: Marker::derive(&[b"a key"]).unwrap(),
        }
    }

    proptest! {
        #[test]
        fn a_cursor_leads_on_in_its_own_list_alone(key in "\\PC{0,40}", id: u128) {
            let cursor = Cursor { key, id: Uuid::from_u128(id) };
            let (here, there) = (pages("/v1/models"), pages("/v1/reviews"));
            let (rows, next) = here.cut(vec![1, 2], 1, |_| cursor.clone());
            prop_assert_eq!(rows, [1]);
            let next = next.unwrap();
            prop_assert_eq!(here.read(&next), Ok(cursor));
            prop_assert_eq!(there.read(&next), Err(not_ours()));
        }

        #[test]
        fn no_made_up_text_is_a_cursor(text in "\\PC{0,80}", bytes: Vec<u8>) {
            let here = pages("/v1/models");
            prop_assert_eq!(here.read(&text), Err(not_ours()));
            prop_assert_eq!(here.read(&URL_SAFE_NO_PAD.encode(bytes)), Err(not_ours()));
        }
    }

    #[test]
    fn the_link_keeps_the_filters() {
        let link = pages("/v1/models").link_next(Some("new")).unwrap();
        assert_eq!(link, "</v1/models?limit=1&cursor=new>; rel=\"next\"");
    }
}
