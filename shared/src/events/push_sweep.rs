//! The schedule of a pipeline's rule: at each time, pushes whose events were lost are looked for.

use aws_lambda_events::event::eventbridge::EventBridgeEvent;
use serde_json::Value;

const SOURCE: &str = "aws.events";

/// A rule of a pipeline fired by its schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushSweep {
    /// The account and the region of the rule, if the event names them.
    pub account: Option<String>,
    pub region: Option<String>,
}

impl PushSweep {
    /// Whether an event is that of a schedule.
    #[must_use]
    pub fn is_source_of(event: &Value) -> bool {
        event["source"] == SOURCE
    }

    /// Reads the event of a schedule.
    ///
    /// # Errors
    /// If it is not an event of EventBridge.
    pub fn parse(event: Value) -> Result<Self, String> {
        let envelope: EventBridgeEvent<Value> =
            serde_json::from_value(event).map_err(|e| format!("not an EventBridge event: {e}"))?;
        let stated = |text: Option<String>| text.filter(|text| !text.is_empty());
        Ok(Self {
            account: stated(envelope.account),
            region: stated(envelope.region),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_event_of_a_schedule_has_the_place_of_its_rule() {
        let event = json!({
            "version": "0", "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
            "detail-type": "Scheduled Event", "source": "aws.events", "account": "111122223333",
            "time": "2026-01-05T09:00:00Z", "region": "eu-west-1",
            "resources": ["arn:aws:events:eu-west-1:111122223333:rule/slipway-slipway-web"],
            "detail": {},
        });
        assert!(PushSweep::is_source_of(&event));
        let read = PushSweep::parse(event).expect("an event");
        assert_eq!(read.account.as_deref(), Some("111122223333"));
        assert_eq!(read.region.as_deref(), Some("eu-west-1"));

        assert!(!PushSweep::is_source_of(&json!({"source": "aws.ecr"})));
        let refused = PushSweep::parse(json!({"source": "aws.events"})).expect_err("no detail");
        assert!(
            refused.starts_with("not an EventBridge event: "),
            "{refused}"
        );
    }
}
