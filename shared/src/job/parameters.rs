//! User parameters: what an action's `UserParameters` in the pipeline request from a step.
//!
//! The four parameters that every action has are declared once, as [`ReleaseRef`]; the rest are the
//! step's own type. An unknown field is never ignored: it is refused by its name, because a
//! misspelt parameter would silently keep its default.

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer};
use serde_json::Value;

use super::Failure;
use crate::json;

/// The names of the fields of [`ReleaseRef`].
const RELEASE_FIELDS: [&str; 4] = ["pipeline", "execution", "cluster", "service"];

/// The release that an action belongs to: the parameters that all actions have.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
pub struct ReleaseRef {
    /// Name of the pipeline.
    pub pipeline: String,
    /// Id of the execution: `#{codepipeline.PipelineExecutionId}`.
    pub execution: String,
    /// Name or ARN of the service's cluster.
    pub cluster: String,
    /// Name or ARN of the service, or the name of a blue/green pair, whose services are
    /// `<name>-blue` and `<name>-green` unless begin-release has their names.
    pub service: String,
}

/// User parameters of a step that takes those of all actions only.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct NoParameters {}

impl ReleaseRef {
    #[must_use]
    pub fn new(pipeline: &str, execution: &str, cluster: &str, service: &str) -> Self {
        Self {
            pipeline: pipeline.to_owned(),
            execution: execution.to_owned(),
            cluster: cluster.to_owned(),
            service: service.to_owned(),
        }
    }
}

/// Reads the parameters of a step, `P` and those that all steps have, from the text of an action's
/// `UserParameters`.
///
/// # Errors
/// A ConfigurationError that names the field, the value found and what is expected.
pub fn parse<P: DeserializeOwned>(text: Option<&str>) -> Result<(ReleaseRef, P), Failure> {
    let remedy = "correct UserParameters of this action in the pipeline";
    let text = text.filter(|text| !text.trim().is_empty());
    let text = text.ok_or_else(|| {
        Failure::configuration(format!(
            "UserParameters are missing; expected a JSON object; {remedy}"
        ))
    })?;

    json::parse(text.as_bytes(), "expected a JSON object")
        .and_then(from_value)
        .map_err(|message| Failure::configuration(format!("UserParameters: {message}; {remedy}")))
}

/// The release that an action belongs to, if at least that can be read from the text of its
/// `UserParameters`. A dry run does not belong to one: nothing of it is recorded.
#[must_use]
pub(crate) fn parse_release(text: Option<&str>) -> Option<ReleaseRef> {
    let value: Value = serde_json::from_str(text?).ok()?;
    let is_dry_run = value.get("dry_run") == Some(&Value::Bool(true));
    serde_json::from_value(value).ok().filter(|_| !is_dry_run)
}

fn from_value<P: DeserializeOwned>(value: Value) -> Result<(ReleaseRef, P), String> {
    let Value::Object(all) = value.clone() else {
        return Err(format!(
            "found {}; expected a JSON object",
            json::kind(&value)
        ));
    };

    let (release, own) = json::split(all, &RELEASE_FIELDS);
    let own = read(own, &value)?;
    let release: ReleaseRef = read(release, &value)?;
    // The ledger has an index by it, which takes no empty text.
    if release.pipeline.is_empty() {
        return Err("`pipeline` is empty; expected the name of the pipeline".to_owned());
    }
    Ok((release, own))
}

/// Reads a part of the parameters; an error names the field and its value in `all` of them.
fn read<'de, T, D>(part: D, all: &Value) -> Result<T, String>
where
    T: DeserializeOwned,
    D: Deserializer<'de, Error = serde_json::Error>,
{
    serde_path_to_error::deserialize(part).map_err(|e| {
        let path = e.path().to_string();
        let found = all
            .pointer(&format!("/{}", path.replace('.', "/")))
            .map(|found| format!(" (found {found})"));

        match path.as_str() {
            "." => e.into_inner().to_string(),
            _ => format!("`{path}`{}: {}", found.unwrap_or_default(), e.into_inner()),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy::{Percent, StrategyName};

    /// The common parameters, for a step's own ones to be added.
    const RELEASE: &str = r#""pipeline":"slipway-web","execution":"e-1","cluster":"apps""#;

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only the errors matter")]
    struct OwnParameters {
        strategy: StrategyName,
        minimum_healthy_percent: Option<Percent<0, 100>>,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct ImageParameters {
        images: std::collections::BTreeMap<String, String>,
    }

    fn parsed<P: DeserializeOwned>(more: &str) -> Result<(ReleaseRef, P), Failure> {
        parse(Some(&format!("{{{RELEASE},{more}}}")))
    }

    #[test]
    fn an_empty_pipeline_is_refused() {
        let text = r#"{"pipeline":"","execution":"e-1","cluster":"apps","service":"web"}"#;
        let refused = parse::<NoParameters>(Some(text)).expect_err("empty");
        let reason = "UserParameters: `pipeline` is empty; expected the name of the pipeline; \
            correct UserParameters of this action in the pipeline";
        assert_eq!(refused.message, reason);
    }

    #[test]
    fn refusals_name_the_field_the_value_found_and_what_is_expected() {
        let words = StrategyName::ALL.map(|name| format!("`{}`", name.rules().word));
        let expected_words = format!(
            "`strategy` (found \"roling\"): unknown variant `roling`, expected one of {}",
            words.join(", ")
        );
        let cases = [
            (
                r#""service":"web","strategy":"roling""#,
                expected_words.as_str(),
            ),
            (
                r#""service":"web","stategy":"rolling""#,
                "unknown field `stategy`, expected one of `pipeline`, `execution`, `cluster`, \
                 `service`, `strategy`, `minimum_healthy_percent`",
            ),
            (
                r#""service":"web","strategy":"rolling","minimum_healthy_percent":140"#,
                "`minimum_healthy_percent` (found 140): 140 is out of range; expected a whole \
                 percentage from 0 to 100",
            ),
            (
                r#""service":7,"strategy":"rolling""#,
                "`service` (found 7): invalid type: integer `7`, expected a string",
            ),
            (r#""strategy":"rolling""#, "missing field `service`"),
            (r#""service":"web""#, "missing field `strategy`"),
        ];

        for (more, expected) in cases {
            let message = parsed::<OwnParameters>(more).expect_err("refused").message;
            assert!(
                message.starts_with(&format!("UserParameters: {expected}"))
                    && message.ends_with("in the pipeline"),
                "{message}"
            );
        }
    }

    #[test]
    fn parameters_are_read_by_value_and_the_common_ones_apart() {
        let images = std::collections::BTreeMap::from([("web".to_owned(), "web:1".to_owned())]);
        assert_eq!(
            parsed::<ImageParameters>(r#""images":{"web":"web:1"},"service":"web""#),
            Ok((
                ReleaseRef::new("slipway-web", "e-1", "apps", "web"),
                ImageParameters { images }
            ))
        );
    }

    #[test]
    fn the_release_is_read_whatever_else_is_wrong() {
        let release = ReleaseRef::new("slipway-web", "e-1", "apps", "web");
        let text = format!("{{{RELEASE},\"service\":\"web\",\"stategy\":7}}");
        assert_eq!(parse_release(Some(&text)), Some(release));
        let dry_run = text.replace('7', "7,\"dry_run\":true");
        assert_eq!(parse_release(Some(&dry_run)), None, "nothing is recorded");

        for text in ["", "[]", "{", &format!("{{{RELEASE}}}")] {
            assert_eq!(parse_release(Some(text)), None, "{text}");
        }
        assert_eq!(parse_release(None), None);
    }

    #[test]
    fn a_step_without_parameters_of_its_own_takes_the_common_ones_only() {
        let (release, own) = parsed::<NoParameters>(r#""service":"web""#).expect("complete");
        assert_eq!((release.service.as_str(), own), ("web", NoParameters {}));

        let refused = parsed::<NoParameters>(r#""service":"web","colour":"blue""#);
        let message = refused.expect_err("an unknown field").message;
        assert!(message.contains("unknown field `colour`"), "{message}");
    }

    #[test]
    fn the_common_fields_are_those_of_the_type() {
        let schema = schemars::schema_for!(ReleaseRef);
        let properties = schema.get("properties").and_then(Value::as_object);
        let names: Vec<&str> = properties
            .expect("an object has properties")
            .keys()
            .map(String::as_str)
            .collect();

        assert_eq!(names, RELEASE_FIELDS);
    }

    #[test]
    fn every_refusal_is_a_configuration_error_that_names_the_remedy() {
        let remedy = "correct UserParameters of this action in the pipeline";
        let refused = |text: Option<&str>| parse::<ImageParameters>(text).expect_err("refused");

        let missing = format!("UserParameters are missing; expected a JSON object; {remedy}");
        for text in [None, Some(""), Some(" \n")] {
            assert_eq!(refused(text), Failure::configuration(missing.clone()));
        }

        assert_eq!(
            parsed::<ImageParameters>(r#""service":"web","images":{"web":7}"#),
            Err(Failure::configuration(format!(
                "UserParameters: `images.web` (found 7): invalid type: integer `7`, \
                 expected a string; {remedy}"
            )))
        );
        assert_eq!(
            parsed::<ImageParameters>(r#""service":"web""#),
            Err(Failure::configuration(format!(
                "UserParameters: missing field `images`; {remedy}"
            )))
        );

        let not_json = refused(Some("{"));
        assert_eq!(not_json.kind, crate::job::FailureType::ConfigurationError);
        assert!(
            not_json.message.starts_with("UserParameters: not JSON: ")
                && not_json.message.ends_with(remedy),
            "{not_json}"
        );

        let text = format!("{{{RELEASE},\"service\":\"web\",\"service\":\"api\"}}");
        let twice = refused(Some(&text)).message;
        assert!(
            twice.starts_with("UserParameters: the key `service` occurs twice at line 1 column "),
            "{twice}"
        );
    }

    #[test]
    fn a_value_that_is_not_an_object_is_refused_by_its_kind() {
        for (text, kind) in [
            ("null", "null"),
            ("true", "a boolean"),
            ("7", "a number"),
            (r#""text""#, "a string"),
            ("[]", "an array"),
        ] {
            let message = parse::<ImageParameters>(Some(text))
                .expect_err("refused")
                .message;
            assert!(
                message.starts_with(&format!(
                    "UserParameters: found {kind}; expected a JSON object;"
                )),
                "{message}"
            );
        }
    }
}
