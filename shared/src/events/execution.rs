//! What invokes `roll-back`: the end of an execution, the sweep, or an operator.

use aws_lambda_events::event::eventbridge::EventBridgeEvent;
use serde::Deserialize;
use serde_json::Value;

use crate::strategy::ending::Ending;

/// The input of `roll-back`.
#[derive(Debug, PartialEq, Eq)]
pub enum RollBackTrigger {
    /// An execution ended, or is being stopped.
    Ended { execution: String, ending: Ending },
    /// Search for leases whose execution has ended.
    Sweep,
    /// An event that needs no rollback, and why.
    Irrelevant(String),
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct ExecutionStateChange {
    execution_id: String,
    state: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OperatorRequest {
    execution: String,
}

impl RollBackTrigger {
    /// Reads an event: `{"sweep": true}` of the schedule, `{"parameters": {"execution": …}}` of an
    /// operator, or CodePipeline's own.
    ///
    /// # Errors
    /// If it is none of these.
    pub fn parse(event: Value) -> Result<Self, String> {
        if event.get("sweep") == Some(&Value::Bool(true)) {
            return Ok(Self::Sweep);
        }

        if let Some(parameters) = event.get("parameters") {
            let request: OperatorRequest =
                serde_json::from_value(parameters.clone()).map_err(|e| {
                    format!("parameters: {e}; expected {{\"execution\": <execution id>}}")
                })?;
            return Ok(Self::Ended {
                execution: request.execution,
                ending: Ending::Stopped,
            });
        }

        Self::from_state_change(event)
    }

    fn from_state_change(event: Value) -> Result<Self, String> {
        let envelope: EventBridgeEvent<Value> = serde_json::from_value(event).map_err(|e| {
            format!(
                "{e}; expected {{\"sweep\": true}}, {{\"parameters\": {{\"execution\": …}}}}, \
                 or an event of CodePipeline"
            )
        })?;
        // A caller of PutEvents chooses the detail type, but cannot use a source that begins with
        // `aws`.
        if envelope.source != "aws.codepipeline" {
            return Ok(Self::Irrelevant(format!(
                "the source is `{}`; expected \"aws.codepipeline\"",
                envelope.source
            )));
        }
        if envelope.detail_type != "CodePipeline Pipeline Execution State Change" {
            return Ok(Self::Irrelevant(format!(
                "`{}` is not the end of an execution",
                envelope.detail_type
            )));
        }

        let change: ExecutionStateChange =
            serde_json::from_value(envelope.detail).map_err(|e| format!("detail: {e}"))?;
        Ok(match Ending::from_status(&change.state)? {
            Some(Ending::Succeeded) | None => {
                Self::Irrelevant(format!("the execution is {}", change.state))
            }
            Some(ending) => Self::Ended {
                execution: change.execution_id,
                ending,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn ended(state: &str) -> Result<RollBackTrigger, String> {
        RollBackTrigger::parse(json!({
            "version": "0", "id": "1",
            "detail-type": "CodePipeline Pipeline Execution State Change",
            "source": "aws.codepipeline", "account": "111122223333", "time": "2026-01-05T09:00:00Z",
            "region": "eu-west-1", "resources": [],
            "detail": {
                "pipeline": "slipway-web", "execution-id": "e-1", "state": state, "version": 1,
            },
        }))
    }

    #[test]
    fn each_unsuccessful_end_of_an_execution_invokes_roll_back() {
        for (state, ending) in [
            ("FAILED", Ending::Failed),
            ("STOPPED", Ending::Stopped),
            ("STOPPING", Ending::Stopped),
            ("CANCELED", Ending::Canceled),
            ("SUPERSEDED", Ending::Superseded),
        ] {
            assert_eq!(
                ended(state),
                Ok(RollBackTrigger::Ended {
                    execution: "e-1".to_owned(),
                    ending
                }),
                "{state}"
            );
        }
    }

    #[test]
    fn a_running_or_successful_execution_is_irrelevant() {
        for state in ["STARTED", "RESUMED", "SUCCEEDED"] {
            let reason = format!("the execution is {state}");
            assert_eq!(ended(state), Ok(RollBackTrigger::Irrelevant(reason)));
        }

        let error = ended("EXPLODED").expect_err("an unknown state");

        assert_eq!(error, "`EXPLODED` is not a known pipeline execution status");
    }

    #[test]
    fn an_event_of_another_source_is_irrelevant() {
        let event = json!({
            "version": "0", "id": "1",
            "detail-type": "CodePipeline Pipeline Execution State Change",
            "source": "com.example", "detail": {"execution-id": "e-1", "state": "FAILED"},
        });
        let why = "the source is `com.example`; expected \"aws.codepipeline\"";
        assert_eq!(
            RollBackTrigger::parse(event),
            Ok(RollBackTrigger::Irrelevant(why.to_owned()))
        );
    }

    #[test]
    fn a_sweep_must_be_true_and_other_events_are_irrelevant() {
        assert!(RollBackTrigger::parse(json!({"sweep": false})).is_err());

        let stage = json!({
            "version": "0", "id": "1", "detail-type": "CodePipeline Stage Execution State Change",
            "source": "aws.codepipeline", "account": "111122223333", "time": "2026-01-05T09:00:00Z",
            "region": "eu-west-1", "resources": [],
            "detail": {"state": "FAILED", "execution-id": "e-1"},
        });
        let Ok(RollBackTrigger::Irrelevant(why)) = RollBackTrigger::parse(stage) else {
            panic!("irrelevant")
        };

        assert!(
            why.starts_with("`CodePipeline Stage Execution State Change`"),
            "{why}"
        );

        let refused = RollBackTrigger::parse(json!({"parameters": {}})).expect_err("no execution");

        assert!(refused.contains("missing field `execution`"), "{refused}");
    }

    #[test]
    fn the_sweep_and_an_operator_invoke_roll_back() {
        assert_eq!(
            RollBackTrigger::parse(json!({"sweep": true})),
            Ok(RollBackTrigger::Sweep)
        );

        let requested = RollBackTrigger::parse(json!({"parameters": {"execution": "e-1"}}));

        assert_eq!(
            requested,
            Ok(RollBackTrigger::Ended {
                execution: "e-1".to_owned(),
                ending: Ending::Stopped
            })
        );
        assert!(RollBackTrigger::parse(json!({"parameters": {"excution": "e-1"}})).is_err());
    }
}
