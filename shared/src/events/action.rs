//! What invokes `poll-jobs`: the start of a custom action, or its schedule.

use aws_lambda_events::event::eventbridge::EventBridgeEvent;
use serde::Deserialize;
use serde_json::Value;

use crate::job::{ActionTypeId, PROVIDER_PREFIX};

/// The input of `poll-jobs`.
#[derive(Debug, PartialEq, Eq)]
pub enum PollTrigger {
    /// An action of this type has started.
    Started(ActionTypeId),
    /// Poll for the jobs of all types: events can be lost, and a continued action has none.
    Schedule,
    /// An event that needs no poll, and why.
    Irrelevant(String),
}

#[derive(Debug, Deserialize)]
struct ActionStateChange {
    state: String,
    r#type: StartedType,
}

#[derive(Debug, Deserialize)]
struct StartedType {
    owner: String,
    category: String,
    provider: String,
    version: Value,
}

impl PollTrigger {
    /// Reads an event: `{"poll": true}` of the schedule, or CodePipeline's own.
    ///
    /// # Errors
    /// If it is neither.
    pub fn parse(event: Value) -> Result<Self, String> {
        if event.get("poll") == Some(&Value::Bool(true)) {
            return Ok(Self::Schedule);
        }

        let envelope: EventBridgeEvent<Value> = serde_json::from_value(event).map_err(|e| {
            format!("{e}; expected {{\"poll\": true}}, or an event of CodePipeline")
        })?;
        if let Some(why) = why_no_action(&envelope) {
            return Ok(Self::Irrelevant(why));
        }

        let change: ActionStateChange =
            serde_json::from_value(envelope.detail).map_err(|e| format!("detail: {e}"))?;
        Ok(change.trigger())
    }
}

/// Why an event is not about an action of CodePipeline. A caller of PutEvents chooses the detail
/// type, but cannot use a source that begins with `aws`.
pub(super) fn why_no_action(envelope: &EventBridgeEvent<Value>) -> Option<String> {
    if envelope.source != "aws.codepipeline" {
        return Some(format!(
            "the source is `{}`; expected \"aws.codepipeline\"",
            envelope.source
        ));
    }
    let is_of_action = envelope.detail_type == "CodePipeline Action Execution State Change";
    (!is_of_action).then(|| format!("`{}` is not the start of an action", envelope.detail_type))
}

impl ActionStateChange {
    fn trigger(self) -> PollTrigger {
        let StartedType {
            owner,
            category,
            provider,
            version,
        } = self.r#type;
        if self.state != "STARTED" {
            return PollTrigger::Irrelevant(format!("the action is {}", self.state));
        }
        if owner != "Custom" || !provider.starts_with(PROVIDER_PREFIX) {
            return PollTrigger::Irrelevant(format!("{owner} {provider} is another worker's"));
        }

        PollTrigger::Started(ActionTypeId {
            category,
            provider,
            // The documented samples have text; a number is read as the text that it is.
            version: version
                .as_str()
                .map_or_else(|| version.to_string(), ToOwned::to_owned),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn started(detail_type: &str, state: &str, of_type: &Value) -> Value {
        json!({
            "version": "0", "id": "1", "detail-type": detail_type, "source": "aws.codepipeline",
            "account": "111122223333", "time": "2026-01-05T09:00:00Z", "region": "eu-west-1",
            "resources": [],
            "detail": {
                "pipeline": "slipway-web", "execution-id": "e-1", "state": state, "version": 1,
                "stage": "Release", "action": "update-service", "type": of_type,
            },
        })
    }

    const ACTION: &str = "CodePipeline Action Execution State Change";

    fn of(owner: &str, provider: &str, version: &Value) -> Value {
        json!({
            "owner": owner, "provider": provider, "category": "Deploy", "version": version,
        })
    }

    #[test]
    fn the_start_of_an_action_names_its_type() {
        for version in [json!("1"), json!(1)] {
            let event = started(ACTION, "STARTED", &of("Custom", "slipway-x", &version));
            let id = ActionTypeId {
                category: "Deploy".to_owned(),
                provider: "slipway-x".to_owned(),
                version: "1".to_owned(),
            };
            assert_eq!(PollTrigger::parse(event), Ok(PollTrigger::Started(id)));
        }
        assert_eq!(
            PollTrigger::parse(json!({"poll": true})),
            Ok(PollTrigger::Schedule)
        );
    }

    #[test]
    fn other_events_need_no_poll() {
        let version = json!("1");
        let own = of("Custom", "slipway-x", &version);
        let irrelevant = |event: Value| match PollTrigger::parse(event) {
            Ok(PollTrigger::Irrelevant(why)) => why,
            other => panic!("{other:?}"),
        };

        let ended = irrelevant(started(ACTION, "SUCCEEDED", &own));
        assert_eq!(ended, "the action is SUCCEEDED");
        for (owner, provider) in [("AWS", "Lambda"), ("Custom", "Jenkins")] {
            let other = of(owner, provider, &version);
            let why = irrelevant(started(ACTION, "STARTED", &other));
            assert_eq!(why, format!("{owner} {provider} is another worker's"));
        }
        let stage = "CodePipeline Stage Execution State Change";
        assert!(irrelevant(started(stage, "STARTED", &own)).contains("not the start"));
        let mut foreign = started(ACTION, "STARTED", &own);
        foreign["source"] = json!("shop");
        assert!(irrelevant(foreign).starts_with("the source is `shop`"));

        let wrong = PollTrigger::parse(json!({"poll": "yes"})).expect_err("not an event");
        assert!(wrong.contains("expected {\"poll\": true}"), "{wrong}");
    }
}
