//! The value of a parameter from the text of a custom action's property.
//!
//! CodePipeline has text only, so this is the one place that states how a parameter is written:
//! a number and `true` or `false` as they are, a list with commas or as a JSON array, and any other
//! value as JSON. The step checks whether the value fits the parameter.

use serde_json::Value;

use crate::json;

/// How a parameter is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PropertyKind {
    Text,
    Boolean,
    Number,
    /// Of texts or numbers.
    List(Box<PropertyKind>),
    /// An object, or a list of objects.
    Json,
}

impl PropertyKind {
    /// The kind of a parameter by its JSON Schema, which may refer to a definition of `root`.
    pub(super) fn of(schema: &Value, root: &Value) -> Self {
        if let Some(name) = schema["$ref"].as_str() {
            let name = name.trim_start_matches("#/$defs/");
            return Self::of(&root["$defs"][name], root);
        }
        // A choice of words, or a value that may be missing.
        for choice in ["anyOf", "oneOf"] {
            let options = schema[choice].as_array();
            if let Some(first) = options.and_then(|options| options.first()) {
                return Self::of(first, root);
            }
        }

        let word = match &schema["type"] {
            Value::Array(words) => words.first().and_then(Value::as_str),
            word => word.as_str(),
        };
        match word {
            Some("string") => Self::Text,
            Some("boolean") => Self::Boolean,
            Some("integer" | "number") => Self::Number,
            Some("array") => match Self::of(&schema["items"], root) {
                item @ (Self::Text | Self::Number) => Self::List(Box::new(item)),
                _ => Self::Json,
            },
            _ => Self::Json,
        }
    }

    /// The type of a property of this kind, as CodePipeline has it.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Boolean => "Boolean",
            Self::Number => "Number",
            Self::Text | Self::List(_) | Self::Json => "String",
        }
    }

    /// The value that a text is.
    ///
    /// # Errors
    /// What was found and what is expected.
    pub(super) fn value(&self, text: &str) -> Result<Value, String> {
        match self {
            Self::Text => Ok(Value::from(text)),
            Self::Boolean => match text.trim() {
                "true" => Ok(Value::from(true)),
                "false" => Ok(Value::from(false)),
                _ => Err(format!("found `{text}`; expected `true` or `false`")),
            },
            Self::Number => serde_json::from_str::<Value>(text.trim())
                .ok()
                .filter(Value::is_number)
                .ok_or_else(|| format!("found `{text}`; expected a number")),
            Self::List(item) if !text.trim_start().starts_with('[') => text
                .split(',')
                .map(|part| item.value(part.trim()))
                .collect::<Result<Vec<_>, _>>()
                .map(Value::from),
            Self::List(_) => json::parse(text.as_bytes(), "expected a JSON array"),
            Self::Json => json::parse(text.as_bytes(), "expected JSON"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn list(item: PropertyKind) -> PropertyKind {
        PropertyKind::List(Box::new(item))
    }

    #[test]
    fn a_text_is_written_as_its_parameter_is() {
        for (kind, text, value) in [
            (PropertyKind::Text, "true", json!("true")),
            (PropertyKind::Text, " a,b ", json!(" a,b ")),
            (PropertyKind::Boolean, "true", json!(true)),
            (PropertyKind::Boolean, " false", json!(false)),
            (PropertyKind::Number, "25", json!(25)),
            (
                list(PropertyKind::Text),
                "web, worker",
                json!(["web", "worker"]),
            ),
            (list(PropertyKind::Text), "10", json!(["10"])),
            (list(PropertyKind::Number), "10,50", json!([10, 50])),
            (list(PropertyKind::Text), r#"["a,b"]"#, json!(["a,b"])),
            (
                PropertyKind::Json,
                r#"{"web":"web:1"}"#,
                json!({"web": "web:1"}),
            ),
        ] {
            assert_eq!(kind.value(text), Ok(value), "{text}");
        }
    }

    #[test]
    fn a_refusal_names_what_was_found_and_what_is_expected() {
        let refused = |kind: PropertyKind, text: &str| kind.value(text).expect_err("refused");
        assert_eq!(
            refused(PropertyKind::Boolean, "yes"),
            "found `yes`; expected `true` or `false`"
        );
        for (kind, text) in [
            (PropertyKind::Number, "ten"),
            (list(PropertyKind::Number), "10,ten"),
        ] {
            assert_eq!(refused(kind, text), "found `ten`; expected a number");
        }
        assert!(refused(PropertyKind::Json, "{").starts_with("not JSON: "));
        let twice = refused(PropertyKind::Json, r#"{"a":1,"a":2}"#);
        assert!(twice.contains("`a` occurs twice"), "{twice}");
    }

    #[test]
    fn the_kind_of_a_parameter_is_that_of_its_schema() {
        let root = json!({"$defs": {
            "Word": {"oneOf": [{"type": "string", "const": "fill"}]},
            "Percent": {"type": "integer"},
            "Check": {"type": "object"},
        }});
        let of = |name: &str| json!({"$ref": format!("#/$defs/{name}")});
        let maybe = |name: &str| json!({"anyOf": [of(name), {"type": "null"}]});

        for (schema, kind) in [
            (json!({"type": "string"}), PropertyKind::Text),
            (json!({"type": ["string", "null"]}), PropertyKind::Text),
            (json!({"type": ["boolean", "null"]}), PropertyKind::Boolean),
            (of("Word"), PropertyKind::Text),
            (maybe("Percent"), PropertyKind::Number),
            (
                json!({"type": "array", "items": {"type": "string"}}),
                list(PropertyKind::Text),
            ),
            (
                json!({"type": ["array", "null"], "items": of("Percent")}),
                list(PropertyKind::Number),
            ),
            (
                json!({"type": "array", "items": of("Check")}),
                PropertyKind::Json,
            ),
            (json!({"type": "object"}), PropertyKind::Json),
        ] {
            assert_eq!(PropertyKind::of(&schema, &root), kind, "{schema}");
        }
    }
}
