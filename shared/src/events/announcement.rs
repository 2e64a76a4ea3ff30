//! What invokes `announce-releases`: a batch of changes of the ledger, or an approval that begins
//! to wait, of which the ledger has nothing.

use aws_lambda_events::event::eventbridge::EventBridgeEvent;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::action::why_no_action;
use crate::timestamp::Timestamp;

/// The input of `announce-releases`.
#[derive(Debug, PartialEq)]
pub enum AnnounceTrigger {
    /// Changes of the ledger, in the order of its stream.
    Changes(Vec<LedgerChange>),
    /// A manual approval has begun to wait.
    Approval(StartedApproval),
    /// An event that announces nothing, and why.
    Irrelevant(String),
}

/// A change of one item of the ledger, without DynamoDB's type letters.
#[derive(Clone, Debug, PartialEq)]
pub struct LedgerChange {
    /// Its number in the stream, by which Lambda is answered where a batch failed.
    pub sequence: String,
    pub at: Timestamp,
    /// The item before; none if there was none.
    pub old: Option<Value>,
    /// The item after; none if it was deleted.
    pub new: Option<Value>,
}

/// An approval that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartedApproval {
    pub pipeline: String,
    pub execution: String,
    pub stage: String,
    pub action: String,
    /// Of this run of the action.
    pub id: String,
    pub at: Timestamp,
}

#[derive(Debug, Deserialize)]
struct StreamBatch {
    #[serde(rename = "Records")]
    records: Vec<StreamRecord>,
}

#[derive(Debug, Deserialize)]
struct StreamRecord {
    dynamodb: StreamedChange,
}

type Image = Map<String, Value>;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct StreamedChange {
    sequence_number: String,
    /// Seconds since the Unix epoch, perhaps with a fraction.
    #[serde(default)]
    approximate_creation_date_time: f64,
    old_image: Option<Image>,
    new_image: Option<Image>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct ActionStateChange {
    pipeline: String,
    execution_id: String,
    stage: String,
    action: String,
    action_execution_id: Option<String>,
    state: String,
    r#type: ActionType,
}

#[derive(Debug, Deserialize)]
struct ActionType {
    category: String,
}

impl AnnounceTrigger {
    /// Reads an event: the records of a stream of DynamoDB, or CodePipeline's own event.
    ///
    /// # Errors
    /// If it is neither.
    pub fn parse(event: Value) -> Result<Self, String> {
        if event.get("Records").is_some() {
            let batch: StreamBatch = serde_json::from_value(event)
                .map_err(|e| format!("{e}; expected the records of a stream of DynamoDB"))?;
            let changes = batch.records.into_iter().map(LedgerChange::read);
            return changes.collect::<Result<_, _>>().map(Self::Changes);
        }

        let time = event.get("time").cloned().unwrap_or_default();
        let envelope: EventBridgeEvent<Value> = serde_json::from_value(event)
            .map_err(|e| format!("{e}; expected `Records`, or an event of CodePipeline"))?;
        if let Some(why) = why_no_action(&envelope) {
            return Ok(Self::Irrelevant(why));
        }

        let change: ActionStateChange =
            serde_json::from_value(envelope.detail).map_err(|e| format!("detail: {e}"))?;
        let at = serde_json::from_value(time).map_err(|e| format!("time: {e}"))?;
        Ok(change.trigger(at))
    }
}

impl LedgerChange {
    fn read(record: StreamRecord) -> Result<Self, String> {
        let StreamedChange {
            sequence_number,
            approximate_creation_date_time: seconds,
            old_image,
            new_image,
        } = record.dynamodb;
        let at = Timestamp::from_secs(seconds as i64)
            .map_err(|e| format!("ApproximateCreationDateTime: {e}"))?;
        Ok(Self {
            sequence: sequence_number,
            at,
            old: old_image.as_ref().map(object),
            new: new_image.as_ref().map(object),
        })
    }
}

/// An image without type letters.
fn object(image: &Image) -> Value {
    image
        .iter()
        .map(|(name, attribute)| (name.clone(), plain(attribute)))
        .collect()
}

/// The value of an attribute. Of a type that the ledger does not have it is null.
fn plain(attribute: &Value) -> Value {
    let member = attribute.as_object().and_then(|typed| typed.iter().next());
    match member.map(|(kind, value)| (kind.as_str(), value)) {
        Some(("S" | "BOOL", value)) => value.clone(),
        Some(("N", Value::String(number))) => serde_json::from_str(number).unwrap_or_default(),
        Some(("M", Value::Object(members))) => object(members),
        Some(("L", Value::Array(elements))) => elements.iter().map(plain).collect(),
        _ => Value::Null,
    }
}

impl ActionStateChange {
    fn trigger(self, at: Timestamp) -> AnnounceTrigger {
        if self.state != "STARTED" || self.r#type.category != "Approval" {
            let found = format!("{} action is {}", self.r#type.category, self.state);
            return AnnounceTrigger::Irrelevant(format!("the {found}"));
        }
        AnnounceTrigger::Approval(StartedApproval {
            pipeline: self.pipeline,
            execution: self.execution_id,
            stage: self.stage,
            id: self
                .action_execution_id
                .unwrap_or_else(|| self.action.clone()),
            action: self.action,
            at,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn at_nine() -> Timestamp {
        Timestamp::from_secs(1_767_603_600).expect("a year that can be written")
    }

    #[test]
    fn a_batch_is_read_without_type_letters_in_its_order() {
        let item = |fence: &str| {
            json!({
                "pk": {"S": "lease"}, "fence": {"N": fence}, "on": {"BOOL": true},
                "none": {"NULL": true}, "list": {"L": [{"S": "a"}, {"N": "1.5"}]},
                "release": {"M": {"state": {"S": "open"}}},
            })
        };
        let record = |sequence: &str, images: Value| {
            let mut change = json!({
                "SequenceNumber": sequence, "ApproximateCreationDateTime": 1_767_603_600.0,
                "Keys": {"pk": {"S": "lease"}}, "StreamViewType": "NEW_AND_OLD_IMAGES",
            });
            change
                .as_object_mut()
                .expect("an object")
                .extend(images.as_object().expect("an object").clone());
            json!({"eventName": "MODIFY", "dynamodb": change})
        };
        let event = json!({"Records": [
            record("1", json!({"NewImage": item("7")})),
            record("2", json!({"OldImage": item("7")})),
        ]});

        let plain = json!({
            "pk": "lease", "fence": 7, "on": true, "none": null, "list": ["a", 1.5],
            "release": {"state": "open"},
        });
        let change = |sequence: &str, old: Option<&Value>, new: Option<&Value>| LedgerChange {
            sequence: sequence.to_owned(),
            at: at_nine(),
            old: old.cloned(),
            new: new.cloned(),
        };
        let expected = vec![
            change("1", None, Some(&plain)),
            change("2", Some(&plain), None),
        ];
        assert_eq!(
            AnnounceTrigger::parse(event),
            Ok(AnnounceTrigger::Changes(expected))
        );
    }

    fn of_action(state: &str, category: &str) -> Value {
        json!({
            "version": "0", "id": "1", "source": "aws.codepipeline",
            "detail-type": "CodePipeline Action Execution State Change",
            "account": "111122223333", "time": "2026-01-05T09:00:00Z", "region": "eu-west-1",
            "resources": [],
            "detail": {
                "pipeline": "slipway-web", "execution-id": "e-1", "state": state, "version": 1,
                "stage": "Release", "action": "approve", "action-execution-id": "a-1",
                "type": {
                    "owner": "AWS", "provider": "Manual", "category": category, "version": "1",
                },
            },
        })
    }

    #[test]
    fn an_approval_that_begins_to_wait_is_one() {
        let approval = StartedApproval {
            pipeline: "slipway-web".to_owned(),
            execution: "e-1".to_owned(),
            stage: "Release".to_owned(),
            action: "approve".to_owned(),
            id: "a-1".to_owned(),
            at: at_nine(),
        };
        let event = of_action("STARTED", "Approval");
        assert_eq!(
            AnnounceTrigger::parse(event),
            Ok(AnnounceTrigger::Approval(approval))
        );
    }

    #[test]
    fn other_events_announce_nothing_and_what_is_none_is_an_error() {
        let irrelevant = |event: Value| match AnnounceTrigger::parse(event) {
            Ok(AnnounceTrigger::Irrelevant(why)) => why,
            other => panic!("{other:?}"),
        };
        let ended = irrelevant(of_action("SUCCEEDED", "Approval"));
        assert_eq!(ended, "the Approval action is SUCCEEDED");
        let invoked = irrelevant(of_action("STARTED", "Invoke"));
        assert_eq!(invoked, "the Invoke action is STARTED");
        let mut foreign = of_action("STARTED", "Approval");
        foreign["source"] = json!("shop");
        assert!(irrelevant(foreign).starts_with("the source is `shop`"));

        let wrong = AnnounceTrigger::parse(json!({"records": []})).expect_err("not an event");
        assert!(wrong.contains("expected `Records`"), "{wrong}");
        let wrong = AnnounceTrigger::parse(json!({"Records": [{}]})).expect_err("not a batch");
        assert!(wrong.contains("a stream of DynamoDB"), "{wrong}");
    }
}
