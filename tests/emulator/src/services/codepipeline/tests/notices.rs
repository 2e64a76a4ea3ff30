//! Approvals with a topic, under the role of the pipeline.

use super::*;
use crate::cloudformation::Role;

const TOPIC: &str = "arn:aws:sns:eu-west-1:111122223333:releases";
const ROLE: &str = "arn:aws:iam::111122223333:role/slipway/pipeline";

/// The approval of a pipeline whose role may do this, and read its source.
fn approval_under(action: &str) -> ActionExecution {
    let mut aws = account(3);
    aws.cloudformation.iam.put(Role {
        id: "AROA1".to_owned(),
        name: "pipeline".to_owned(),
        arn: ROLE.to_owned(),
        path: "/slipway/".to_owned(),
        trust: json!({ "Statement": [] }),
        managed_policies: Vec::new(),
        policies: [(
            "own".to_owned(),
            json!({"Statement": [
                {"Effect": "Allow", "Action": ["s3:*", action], "Resource": "*"},
            ]}),
        )]
        .into(),
        max_session_seconds: 3600,
        boundary: None,
        tags: std::collections::BTreeMap::new(),
    });

    let mut notifying = approval(1);
    notifying["configuration"] = json!({ "NotificationArn": TOPIC });
    let pipeline = declaration(vec![notifying]);
    call(&mut aws, "CreatePipeline", &json!({ "pipeline": pipeline })).unwrap();
    after(&mut aws, 10);

    let execution = &aws.codepipeline.executions[0];
    execution
        .latest_action("Release", "Approve")
        .unwrap()
        .clone()
}

#[test]
fn an_approval_with_a_topic_needs_permission_to_publish() {
    let waiting = approval_under("sns:Publish");
    assert_eq!(waiting.status, ActionStatus::InProgress);
    assert!(waiting.token.is_some());

    let failed = approval_under("sns:ListTopics");
    let error = failed.error.unwrap();
    assert_eq!(error.code, "PermissionError");
    assert!(
        error.message.contains("sns:Publish") && error.message.contains(TOPIC),
        "{}",
        error.message
    );
}
