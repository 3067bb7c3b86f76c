//! How the list of events becomes a type with a word, a stream and a resource of each. The list itself is in `event`.

/// Makes the list. A group says its stream and its resource once, by the fields of the payloads in it.
macro_rules! events {
    ($(in $stream:expr, about $about:expr => {
        $(#[doc = $summary:literal] $variant:ident = $word:literal { $($field:ident: $type:ty),+ $(,)? })+
    })+) => {
        /// One thing that happened, with its payload: ids, codes, dates, counts, amounts and statuses, nothing personal.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
        #[serde(untagged)]
        pub enum Event { $($(#[doc = $summary] $variant { $($field: $type),+ },)+)+ }

        impl Event {
            /// Each word of the list with what has happened, in the order of the variants.
            pub const KINDS: &'static [(&'static str, &'static str)] = &[$($(($word, $summary.trim_ascii())),+),+];

            /// Its word.
            pub fn kind(&self) -> &'static str {
                match self { $($(Self::$variant { .. } => $word,)+)+ }
            }

            /// Whose history it is part of.
            #[allow(unused_variables)] // a group names the one field it needs
            pub fn stream(&self) -> Stream {
                match self { $($(Self::$variant { $($field),+ } => $stream,)+)+ }
            }

            /// The id of what it happened to.
            #[allow(unused_variables)]
            pub fn resource(&self) -> String {
                match self { $($(Self::$variant { $($field),+ } => $about.to_string(),)+)+ }
            }
        }
    };
}
pub(super) use events;
