//! One field of a body, apart from all others: what its value is, or why there is none. What the fields mean is the body's.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// A field as far as it could be read. Rules over several fields run on what was read, and say nothing of the rest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Field<T> {
    /// Nothing was sent.
    #[default]
    Absent,
    /// Null was sent, which deletes in a merge patch; also what was not sent where that makes no difference.
    Null,
    /// Something else was sent; its fault is told.
    Refused,
    /// The value.
    Read(T),
}

impl<T> Field<T> {
    /// The value, if there is one.
    pub fn value(self) -> Option<T> {
        match self {
            Self::Read(value) => Some(value),
            Self::Absent | Self::Null | Self::Refused => None,
        }
    }

    /// The value of a field that may be left out; nothing where it could not be read.
    pub fn optional(self) -> Option<Option<T>> {
        match self {
            Self::Refused => None,
            other => Some(other.value()),
        }
    }

    /// What a merge patch makes of `before`; nothing where it could not be read.
    pub fn over(self, before: Option<T>) -> Option<Option<T>> {
        match self {
            Self::Absent => Some(before),
            other => other.optional(),
        }
    }

    /// The same field, looked at.
    pub fn as_ref(&self) -> Field<&T> {
        match self {
            Self::Absent => Field::Absent,
            Self::Null => Field::Null,
            Self::Refused => Field::Refused,
            Self::Read(value) => Field::Read(value),
        }
    }

    /// The same field with what `change` makes of its value.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Field<U> {
        match self {
            Self::Absent => Field::Absent,
            Self::Null => Field::Null,
            Self::Refused => Field::Refused,
            Self::Read(value) => Field::Read(change(value)),
        }
    }

    /// Whether it was sent and could not be read.
    pub fn is_refused(&self) -> bool {
        matches!(self, Self::Refused)
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Field<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let sent = Option::<Value>::deserialize(deserializer)?;
        Ok(match sent {
            None => Self::Null,
            Some(value) => T::deserialize(value).map_or(Self::Refused, Self::Read),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct Body {
        code: Field<u32>,
        #[serde(default)]
        note: Field<String>,
    }

    fn read(json: &str) -> (Field<u32>, Field<String>) {
        let body: Body = serde_json::from_str(json).unwrap();
        (body.code, body.note)
    }

    #[test]
    fn a_field_that_cannot_be_read_keeps_none_other_from_it() {
        let wanted = (Field::Refused, Field::Read("a".to_owned()));
        assert_eq!(read(r#"{"code":"x","note":"a"}"#), wanted);
        assert_eq!(
            read(r#"{"code":1,"note":2}"#),
            (Field::Read(1), Field::Refused)
        );
    }

    #[test]
    fn absent_null_and_a_value_are_three_things() {
        assert_eq!(read("{}"), (Field::Null, Field::Absent));
        assert_eq!(read(r#"{"note":null}"#), (Field::Null, Field::Null));
        let before = Some(1);
        assert_eq!(Field::Absent.over(before), Some(Some(1)));
        assert_eq!(Field::Null.over(before), Some(None));
        assert_eq!(Field::Read(2).over(before), Some(Some(2)));
        assert_eq!(Field::<i32>::Refused.over(before), None);
    }
}
