//! The newest revision that a release may be made from: what infrastructure registered, or a
//! release that vouches for it.

use serde_json::json;

use super::script::{Answer, Script, answer, run};
use crate::aws::Bases;
use crate::job::{Failure, StepError};

fn arn_of(revision: u32) -> String {
    format!("arn:aws:ecs:eu-west-1:111122223333:task-definition/web:{revision}")
}

fn listed(revisions: &[u32], token: Option<&str>) -> Answer {
    let arns: Vec<_> = revisions.iter().map(|revision| arn_of(*revision)).collect();
    let mut page = json!({ "taskDefinitionArns": arns });
    if let Some(token) = token {
        page["nextToken"] = json!(token);
    }
    answer(&page)
}

/// A described revision, with the mark of an execution if one registered it.
fn described(revision: u32, execution: Option<&str>) -> Answer {
    let tags = execution.map_or_else(Vec::new, |execution| {
        vec![
            json!({"key": "slipway:execution", "value": execution}),
            json!({"key": "slipway:sent", "value": "ff"}),
        ]
    });
    answer(&json!({
        "taskDefinition": {
            "taskDefinitionArn": arn_of(revision), "family": "web",
            "containerDefinitions": [{"name": "web", "image": "web:1"}],
        },
        "tags": tags,
    }))
}

/// The record of an execution, closed with this outcome or still open.
fn recorded(outcome: Option<&str>) -> Answer {
    let mut record = json!({
        "pk": {"S": "execution#e-1"}, "sk": {"S": "record"}, "v": {"N": "1"},
        "execution": {"S": "e-1"}, "pipeline": {"S": "slipway-web"}, "state": {"S": "begun"},
        "started_at": {"S": "2026-01-05T09:00:00Z"}
    });
    if let Some(outcome) = outcome {
        record["state"] = json!({"S": "closed"});
        record["outcome"] = json!({ "S": outcome });
    }
    answer(&json!({ "Item": record }))
}

/// The ARN of the base, once the whole script was played.
fn newest(answers: Vec<Answer>) -> Result<String, StepError> {
    let script = Script::new(answers);
    let found = run(Bases::new(&script.sdk()).newest("web"));
    assert!(script.is_played());
    found.map(|(arn, _)| arn)
}

#[test]
fn a_revision_without_a_mark_is_the_base_and_the_newest_is_listed_first() {
    let script = Script::new([listed(&[9, 8], Some("more")), described(9, None)]);
    let (arn, _) = run(Bases::new(&script.sdk()).newest("web")).expect("there is one");
    assert_eq!(arn, arn_of(9));

    let sent = script.sent();
    let list = json!({"familyPrefix": "web", "status": "ACTIVE", "sort": "DESC"});
    assert_eq!(sent[0].json(), list);
    assert_eq!(
        script.operations(),
        ["ListTaskDefinitions", "DescribeTaskDefinition"]
    );
}

#[test]
fn a_revision_of_a_release_is_the_base_once_it_is_deployed() {
    for outcome in ["deployed", "unchanged"] {
        let found = newest(vec![
            listed(&[9, 8], None),
            described(9, Some("e-1")),
            recorded(Some(outcome)),
        ]);
        assert_eq!(found, Ok(arn_of(9)), "{outcome}");
    }

    let others = [
        None,
        Some("rolled-back"),
        Some("held"),
        Some("failed"),
        Some("superseded"),
    ];
    for outcome in others {
        let found = newest(vec![
            listed(&[9], Some("more")),
            described(9, Some("e-1")),
            recorded(outcome),
            listed(&[8], None),
            described(8, None),
        ]);
        assert_eq!(found, Ok(arn_of(8)), "{outcome:?}");
    }
}

#[test]
fn a_mark_of_an_execution_that_the_ledger_does_not_know_is_no_release_of_it() {
    let found = newest(vec![
        listed(&[9], None),
        described(9, Some("elsewhere")),
        answer(&json!({})),
    ]);
    assert_eq!(found, Ok(arn_of(9)));
}

#[test]
fn a_family_of_which_no_revision_is_left_is_refused_by_name() {
    let refused = newest(vec![
        listed(&[9], None),
        described(9, Some("e-1")),
        recorded(Some("rolled-back")),
    ]);
    let refusal = Failure::configuration(
        "family `web` has no revision to make another one from; expected an ACTIVE one among its \
         newest 100 that no release rolled back; register one, or change `base` or `family`",
    );
    assert_eq!(refused, Err(refusal.clone().into()));
    assert_eq!(newest(vec![listed(&[], None)]), Err(refusal.clone().into()));

    // No more are looked at than fit into an invocation.
    let revisions: Vec<u32> = (1900..=2000).rev().collect();
    let rolled_back = |revision: &u32| {
        [
            described(*revision, Some("e-1")),
            recorded(Some("rolled-back")),
        ]
    };
    let looked_at = revisions[..100].iter().flat_map(rolled_back);
    let answers = std::iter::once(listed(&revisions, Some("more"))).chain(looked_at);
    assert_eq!(newest(answers.collect()), Err(refusal.into()));
}
