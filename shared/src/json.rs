//! JSON that users and other tools wrote: files, and the parameters of actions.
//!
//! Never drops a member: of two with the same key, serde keeps the last, and the first would be
//! lost without a trace.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::{Map, Value};

/// Reads a text. `expected` ends the refusal of one that is not JSON: `expected a JSON object`.
///
/// # Errors
/// If it is not JSON or an object has a key twice, with line and column. No value is quoted.
pub(crate) fn parse(text: &[u8], expected: &str) -> Result<Value, String> {
    match serde_json::from_slice::<Unique>(text) {
        Ok(Unique(value)) => Ok(value),
        Err(e) if e.is_data() => Err(format!("{e}; expected each key of an object once")),
        Err(e) => Err(format!("not JSON: {e}; {expected}")),
    }
}

/// What a value is, for a refusal.
pub(crate) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// The parts of an object that two types read: one has the fields `first`, the other the rest.
///
/// Serde's `flatten` ignores unknown fields, so the first part is taken out before the rest is
/// read.
pub(crate) fn split(
    mut object: Map<String, Value>,
    first: &'static [&'static str],
) -> (Value, Rest) {
    let part: Map<String, Value> = first
        .iter()
        .filter_map(|field| Some(((*field).to_owned(), object.shift_remove(*field)?)))
        .collect();
    let rest = Rest { object, first };
    (Value::Object(part), rest)
}

/// The rest of an object. Only here both lists of fields are known, so only here a field can be
/// refused with all of the expected ones.
pub(crate) struct Rest {
    object: Map<String, Value>,
    first: &'static [&'static str],
}

impl<'de> Deserializer<'de> for Rest {
    type Error = serde_json::Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        let mut keys = self.object.keys();
        if let Some(unknown) = keys.find(|key| !fields.contains(&key.as_str())) {
            let expected: Vec<String> = self
                .first
                .iter()
                .chain(fields)
                .map(|field| format!("`{field}`"))
                .collect();
            return Err(Self::Error::custom(format!(
                "unknown field `{unknown}`, expected one of {}",
                expected.join(", ")
            )));
        }

        Value::Object(self.object).deserialize_struct(name, fields, visitor)
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        Value::Object(self.object).deserialize_any(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// A value in which no object has a key twice.
struct Unique(Value);

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(UniqueVisitor).map(Self)
    }
}

struct UniqueVisitor;

impl<'de> Visitor<'de> for UniqueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(Unique(item)) = items.next_element()? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = members.next_key::<String>()? {
            if object.contains_key(&key) {
                let twice = format_args!("the key `{key}` occurs twice");
                return Err(A::Error::custom(twice));
            }
            let Unique(value) = members.next_value()?;
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_read_as_they_are_and_in_their_order() {
        let text = r#"{"b":[null,true,-1,7,0.1,"ä\n",{}],"a":18446744073709551615,"c":1e300}"#;
        let plain: Value = serde_json::from_str(text).expect("JSON");
        let read = parse(text.as_bytes(), "").expect("JSON");

        assert_eq!(read, plain);
        assert_eq!(read.to_string(), plain.to_string());
        assert_eq!(parse(b" [] ", ""), Ok(json!([])));
    }

    #[test]
    fn a_key_that_is_twice_in_an_object_is_refused_with_its_place() {
        let refused =
            |text: &str| parse(text.as_bytes(), "expected an object").expect_err("refused");

        assert_eq!(
            refused(r#"{"a":1,"a":2}"#),
            "the key `a` occurs twice at line 1 column 10; expected each key of an object once"
        );
        assert_eq!(
            refused("[{\"b\": {\n  \"cpu\": \"hush\",\n  \"cpu\": \"hush\"}}]"),
            "the key `cpu` occurs twice at line 3 column 7; expected each key of an object once"
        );
        assert_eq!(
            parse(br#"[{"a": {"a": 1}}, {"a": 2}]"#, ""),
            Ok(json!([{"a": {"a": 1}}, {"a": 2}]))
        );
    }

    #[test]
    fn what_is_not_json_is_refused_with_what_is_expected() {
        for text in ["", "{", "{} {}", "{\"a\":1,}", "nul"] {
            let refusal = parse(text.as_bytes(), "expected an object").expect_err("not JSON");
            assert!(
                refusal.starts_with("not JSON: ") && refusal.ends_with("; expected an object"),
                "{refusal}"
            );
        }
    }
}
