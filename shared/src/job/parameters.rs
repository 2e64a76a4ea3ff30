//! User parameters: the typed, strict specification of a step.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Failure;

/// Reads the parameters of a step from the text of an action's `UserParameters`.
///
/// # Errors
/// A ConfigurationError that names the field, what was found and what is legal.
pub fn parse<S: DeserializeOwned>(text: Option<&str>) -> Result<S, Failure> {
    let remedy = "correct UserParameters of this action in the pipeline";
    let text = text.filter(|text| !text.trim().is_empty());
    let text = text.ok_or_else(|| {
        Failure::configuration(format!(
            "UserParameters are missing; legal: a JSON object; {remedy}"
        ))
    })?;
    let value: Value = serde_json::from_str(text).map_err(|e| {
        Failure::configuration(format!(
            "UserParameters are not JSON: {e}; legal: a JSON object; {remedy}"
        ))
    })?;
    from_value(value)
        .map_err(|message| Failure::configuration(format!("UserParameters: {message}; {remedy}")))
}

/// Reads parameters that are JSON already, of an invocation by a person.
pub(super) fn from_value<S: DeserializeOwned>(value: Value) -> Result<S, String> {
    if !value.is_object() {
        return Err(format!("found {}; legal: a JSON object", kind(&value)));
    }
    serde_path_to_error::deserialize(value.clone()).map_err(|e| {
        let path = e.path().to_string();
        let found = value
            .pointer(&format!("/{}", path.replace('.', "/")))
            .map(|found| format!(" (found {found})"));
        match path.as_str() {
            "." => e.into_inner().to_string(),
            _ => format!("`{path}`{}: {}", found.unwrap_or_default(), e.into_inner()),
        }
    })
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy::{Percent, StrategyName};
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only the errors are looked at")]
    struct Spec {
        service: String,
        strategy: StrategyName,
        minimum_healthy_percent: Option<Percent<0, 100>>,
    }

    fn refusal(text: &str) -> String {
        parse::<Spec>(Some(text)).expect_err("refused").message
    }

    #[test]
    fn refusals_name_field_found_and_legal() {
        let cases = [
            (
                r#"{"service":"web","strategy":"roling"}"#,
                "`strategy` (found \"roling\"): unknown variant `roling`, expected one of `rolling`, `doubling`, `make-room`",
            ),
            (r#"{"service":"web","stategy":"rolling"}"#, "`stategy`"),
            (
                r#"{"service":"web","strategy":"rolling","minimum_healthy_percent":140}"#,
                "`minimum_healthy_percent` (found 140): 140 is out of range; legal: a whole percentage from 0 to 100",
            ),
            (
                r#"{"service":7,"strategy":"rolling"}"#,
                "`service` (found 7)",
            ),
            (r#"{"strategy":"rolling"}"#, "missing field `service`"),
            ("[]", "found an array"),
            ("{", "not JSON"),
        ];
        for (text, expected) in cases {
            let message = refusal(text);
            assert!(
                message.contains(expected) && message.ends_with("in the pipeline"),
                "{message}"
            );
        }
        assert!(parse::<Spec>(None).is_err() && parse::<Spec>(Some(" ")).is_err());
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Images {
        images: std::collections::BTreeMap<String, String>,
    }

    #[test]
    fn parameters_are_read_by_value() {
        let images = std::collections::BTreeMap::from([("web".to_owned(), "web:1".to_owned())]);
        assert_eq!(
            parse::<Images>(Some(r#"{"images":{"web":"web:1"}}"#)),
            Ok(Images { images })
        );
    }

    #[test]
    fn every_refusal_is_a_configuration_error_that_names_the_remedy() {
        let remedy = "correct UserParameters of this action in the pipeline";
        let refused = |text: Option<&str>| parse::<Images>(text).expect_err("refused");
        let missing = format!("UserParameters are missing; legal: a JSON object; {remedy}");
        for text in [None, Some(""), Some(" \n")] {
            assert_eq!(refused(text), Failure::configuration(missing.clone()));
        }
        let text = Some(r#"{"images":{"web":7}}"#);
        assert_eq!(
            refused(text),
            Failure::configuration(format!(
                "UserParameters: `images.web` (found 7): invalid type: integer `7`, expected a string; {remedy}"
            ))
        );
        assert_eq!(
            refused(Some("{}")),
            Failure::configuration(format!("UserParameters: missing field `images`; {remedy}"))
        );
        let not_json = refused(Some("{"));
        assert_eq!(not_json.kind, crate::job::FailureType::ConfigurationError);
        assert!(
            not_json
                .message
                .starts_with("UserParameters are not JSON: "),
            "{not_json}"
        );
    }

    #[test]
    fn what_is_not_an_object_is_named_by_its_kind() {
        for (text, kind) in [
            ("null", "null"),
            ("true", "a boolean"),
            ("7", "a number"),
            (r#""text""#, "a string"),
            ("[]", "an array"),
        ] {
            let message = parse::<Images>(Some(text)).expect_err("refused").message;
            assert!(
                message.starts_with(&format!(
                    "UserParameters: found {kind}; legal: a JSON object;"
                )),
                "{message}"
            );
        }
    }
}
