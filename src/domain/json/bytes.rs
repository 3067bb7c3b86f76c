//! From bytes to JSON, in which no object has a key twice.

use std::cell::RefCell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::faults::pointer_of;
use crate::error::{Code, Fault, FaultCode, Refusal, Result};

/// What `bytes` say. 400 `malformed_request` where that is no JSON, 400 `duplicate_key` with every key that stands twice in one object: readers
/// of JSON do not agree on which of them counts (RFC 8259, section 4).
pub fn of_bytes(bytes: &[u8]) -> Result<Value> {
    let repeated = RefCell::default();
    let mut source = serde_json::Deserializer::from_slice(bytes);
    let whole = Part {
        at: "#".to_owned(),
        repeated: &repeated,
    };
    let json = whole.deserialize(&mut source).and_then(|json| {
        source.end()?;
        Ok(json)
    });
    let json = json.map_err(|_| Code::MalformedRequest)?;
    let faults = repeated.into_inner();
    match faults.is_empty() {
        true => Ok(json),
        false => Err(Refusal::from(Code::DuplicateKey).faults(faults).into()),
    }
}

/// What stands at a pointer.
struct Part<'a> {
    at: String,
    repeated: &'a RefCell<Vec<Fault>>,
}

impl Part<'_> {
    fn child(&self, name: &str) -> Part<'_> {
        Part {
            at: format!("{}/{}", self.at, pointer_of(name)),
            repeated: self.repeated,
        }
    }
}

impl<'de> DeserializeSeed<'de> for Part<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<Value, D::Error> {
        source.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Part<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        let number = Number::from_f64(value).ok_or_else(|| E::custom("not a number"));
        number.map(Value::Number)
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut source: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = source.next_element_seed(self.child(&items.len().to_string()))? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut source: A) -> Result<Value, A::Error> {
        let mut fields = Map::new();
        while let Some(name) = source.next_key::<String>()? {
            let child = self.child(&name);
            let fault = Fault::new(&*child.at, FaultCode::NotUnique);
            let value = source.next_value_seed(child)?;
            if fields.insert(name, value).is_some() {
                self.repeated.borrow_mut().push(fault);
            }
        }
        Ok(Value::Object(fields))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::error::Error;

    fn repeated(text: &str) -> Vec<String> {
        match of_bytes(text.as_bytes()) {
            Err(Error::Refused(refusal)) if refusal.code == Code::DuplicateKey => refusal
                .faults
                .into_iter()
                .map(|fault| fault.pointer)
                .collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_key_that_stands_twice_is_told_where_it_stands() {
        assert_eq!(repeated(r#"{"a":1,"a":1}"#), ["#/a"]);
        assert_eq!(
            repeated(r#"{"a":{"b":[{"c":1,"\u0063":2}]}}"#),
            ["#/a/b/0/c"]
        );
        assert_eq!(
            repeated(r#"{"a/b":1,"a/b":2,"c~":1,"c~":1}"#),
            ["#/a~1b", "#/c~0"]
        );
    }

    #[test]
    fn what_is_no_json_is_malformed() {
        for text in ["", "{", "{} {}", "{\"a\":1,}", "[1", "nul", "\"\\ud800\""] {
            let refused = of_bytes(text.as_bytes());
            assert!(
                matches!(&refused, Err(Error::Refused(refusal)) if refusal.code == Code::MalformedRequest),
                "{text}"
            );
        }
        assert!(of_bytes(&[b'"', 0xff, b'"']).is_err());
        assert!(of_bytes("[".repeat(2000).as_bytes()).is_err());
    }

    proptest! {
        #[test]
        fn all_else_is_read_as_it_is(text in r#"\{"a":(-?[0-9]{1,25}(\.[0-9]{1,3})?(e[0-9]{1,2})?|"[a-z]{0,3}"|\[[0-9],null,true\]),"b":\{\}\}|\PC{0,12}"#) {
            match (of_bytes(text.as_bytes()), serde_json::from_str::<Value>(&text)) {
                (Ok(ours), Ok(theirs)) => prop_assert_eq!(ours, theirs),
                (ours, theirs) => prop_assert_eq!(ours.is_ok(), theirs.is_ok(), "{}", text),
            }
        }
    }
}
