//! EventBridge: tags, which PutRule takes and no operation returns here.

use serde_json::json;

use super::events::events;
use super::left_out::{LeftOut, Sign};
use super::{Returned, judge};
use crate::{Aws, eventbridge};

const LEFT_OUT: &[LeftOut] = &[
    (Sign::Operation, events("TagResource")),
    (Sign::Operation, events("UntagResource")),
    (
        Sign::Entry("*not_existing_resource_error"),
        events("TagResource"),
    ),
    (
        Sign::Entry("list_tags_for_*"),
        events("ListTagsForResource"),
    ),
    (Sign::Operation, events("CreateEventBus")),
];

#[test]
fn a_rule_takes_tags_as_recorded() {
    let tags = json!([{"Key": "tag1", "Value": "value1"}, {"Key": "tag2", "Value": "value2"}]);
    let pattern = r#"{"source": ["aws.ecr"]}"#;
    let input = json!({"Name": "rule", "EventPattern": pattern, "Tags": tags});
    let mut answers = Returned::default();
    answers.add(
        "test_put_rule_with_tags",
        "put_rule_with_tags",
        eventbridge::call(&mut Aws::new(1), "PutRule", &input),
    );
    judge("events/test_events_tags.snapshot.json", &answers, LEFT_OUT);
}
