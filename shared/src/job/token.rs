//! The continuation token: what one job of an action passes to the next.
//!
//! It carries progress only, never a decision: CodePipeline may repeat or lose it.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Failure;
use crate::limits::FORMAT_VERSION;
use crate::timestamp::Timestamp;

/// A token of this version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Token {
    pub v: u32,
    /// The step that wrote it.
    pub step: String,
    /// When the first job of the action began.
    pub since: Timestamp,
    /// The step's own payload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<Value>,
}

impl Token {
    /// The token of a step whose action began at `since`.
    #[must_use]
    pub fn new(step: &str, since: Timestamp) -> Self {
        Self {
            v: FORMAT_VERSION,
            step: step.to_owned(),
            since,
            payload: None,
        }
    }

    /// The same token with the step's own payload.
    #[must_use]
    pub fn with_payload(self, payload: Option<Value>) -> Self {
        Self { payload, ..self }
    }

    /// Reads a token that `step` received.
    ///
    /// # Errors
    /// When it was not written by this step in this version.
    pub fn parse(text: &str, step: &str) -> Result<Self, Failure> {
        let remedy = "retry the stage, so that the action starts again";
        let token: Self = serde_json::from_str(text).map_err(|e| {
            Failure::job(format!(
                "the continuation token was not written by {step} of this version: {e}; {remedy}"
            ))
        })?;

        if token.v != FORMAT_VERSION || token.step != step {
            let found = format!("version {} of {}", token.v, token.step);
            return Err(Failure::job(format!(
                "the continuation token is {found}, expected version {FORMAT_VERSION} of {step}; \
                 {remedy}"
            )));
        }

        Ok(token)
    }

    /// The text for CodePipeline.
    #[must_use]
    pub fn text(&self) -> String {
        let mut token = json!({ "v": self.v, "step": self.step, "since": self.since });
        if let Some(payload) = &self.payload {
            token["payload"] = payload.clone();
        }
        token.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_round_trip_and_those_of_others_are_refused() {
        let token = Token::new(
            "update-service",
            Timestamp::from_secs(1_767_603_600).expect("in range"),
        );
        assert_eq!(
            Token::parse(&token.text(), "update-service"),
            Ok(token.clone())
        );
        assert!(token.text().len() <= crate::limits::TOKEN_CHARS);

        let loaded = token.with_payload(Some(json!({ "minute": 7 })));
        assert_eq!(Token::parse(&loaded.text(), "update-service"), Ok(loaded));

        let token = Token::new(
            "update-service",
            Timestamp::from_secs(1_767_603_600).expect("in range"),
        );
        assert!(Token::parse(&token.text(), "begin-release").is_err());
        assert!(Token::parse("A continuation token if continuing job", "update-service").is_err());
        assert!(
            Token::parse(
                &token.text().replace("\"v\":1", "\"v\":2"),
                "update-service"
            )
            .is_err()
        );
    }

    #[test]
    fn a_token_is_written_as_version_step_since_and_payload() {
        let token = Token::new(
            "update-service",
            Timestamp::from_secs(1_767_603_600).expect("in range"),
        );
        assert_eq!(
            token.text(),
            r#"{"v":1,"step":"update-service","since":"2026-01-05T09:00:00Z"}"#
        );
        assert_eq!(
            token.with_payload(Some(json!({"minute": 7}))).text(),
            concat!(
                r#"{"v":1,"step":"update-service","since":"2026-01-05T09:00:00Z","#,
                r#""payload":{"minute":7}}"#
            )
        );
    }

    #[test]
    fn a_token_of_another_step_or_version_is_refused_with_what_was_found_and_the_remedy() {
        let refused = |text: &str| Token::parse(text, "update-service").expect_err("refused");
        let remedy = "retry the stage, so that the action starts again";
        let expected = |found: &str| {
            Failure::job(format!(
                "the continuation token is {found}, expected version 1 of update-service; {remedy}"
            ))
        };
        let token = |v: u32, step: &str| {
            json!({"v": v, "step": step, "since": "2026-01-05T09:00:00Z"}).to_string()
        };

        assert_eq!(
            refused(&token(2, "update-service")),
            expected("version 2 of update-service")
        );
        assert_eq!(
            refused(&token(1, "begin-release")),
            expected("version 1 of begin-release")
        );

        for text in [
            "",
            "null",
            r#"{"v":1,"step":"update-service"}"#,
            r#"{"v":1,"step":"update-service","since":"yesterday"}"#,
            r#"{"v":1,"step":"update-service","since":"2026-01-05T09:00:00Z","more":1}"#,
        ] {
            let Failure { kind, message, .. } = refused(text);
            assert_eq!(kind, super::super::FailureType::JobFailed);
            assert!(
                message.starts_with(
                    "the continuation token was not written by update-service of this version: "
                ) && message.ends_with(remedy),
                "{message}"
            );
        }
    }
}
