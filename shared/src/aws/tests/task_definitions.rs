//! Task definitions: sent unchanged, with every unknown field, and described with their tags.

use serde_json::{Value, json};

use super::script::{Answer, NOW, Script, answer, refusal, run};
use crate::aws::{AwsError, ErrorKind, TaskDefinitions};
use crate::task_definition::{Mark, TaskDefinition};
use crate::timestamp::Timestamp;

const ARN: &str = "arn:aws:ecs:eu-west-1:111122223333:task-definition/web:2";

fn arn_of(revision: u32) -> String {
    ARN.replace("web:2", &format!("web:{revision}"))
}

fn definition() -> TaskDefinition {
    let value = json!({
        "family": "web",
        "fieldOfTomorrow": {"deep": [1, null]},
        "containerDefinitions": [{
            "name": "web", "image": "web:1",
            "environment": [
                {"name": "PASSWORD", "value": "hunter"},
                {"name": "LEVEL", "value": "debug"},
            ],
        }, {
            "name": "log", "image": "log:1",
            "environment": [{"name": "TOKEN", "value": "correct horse"}],
        }]
    });

    TaskDefinition::from_value(value).expect("a task definition")
}

fn register(answer: Answer) -> (Result<String, AwsError>, Script) {
    let script = Script::new([answer]);
    let registered = run(TaskDefinitions::new(&script.sdk()).register(&definition()));
    assert_eq!(script.only().operation(), "RegisterTaskDefinition");
    (registered, script)
}

#[test]
fn a_registration_is_sent_once_because_each_makes_a_revision() {
    let lost = [
        Answer::Silence,
        Answer::Refused,
        Answer::Broken(503),
        refusal("ThrottlingException", "slow"),
    ];
    for answer in lost {
        let script = Script::always(answer);
        let registered = run(TaskDefinitions::new(&script.sdk()).register(&definition()));

        registered.expect_err("not registered");
        assert_eq!(script.operations(), ["RegisterTaskDefinition"]);
    }
}

#[test]
fn a_definition_is_registered_unchanged_with_unknown_fields() {
    let (arn, script) = register(answer(
        &json!({"taskDefinition": {"taskDefinitionArn": ARN}}),
    ));

    assert_eq!(arn.expect("registered"), ARN);

    let sent = script.only();

    assert_eq!(sent.text(), definition().text());
    assert_eq!(sent.json()["fieldOfTomorrow"], json!({"deep": [1, null]}));
    assert_eq!(
        sent.header("content-length"),
        Some(definition().text().len().to_string().as_str())
    );
}

#[test]
fn values_of_environment_variables_are_redacted() {
    let quote = "hunter and correct horse are not allowed in web at level debug";
    let error = register(refusal("ClientException", quote))
        .0
        .expect_err("refused");

    assert_eq!(
        error.to_string(),
        "ecs:RegisterTaskDefinition failed: ClientException: *** and *** are not allowed in web at \
         level debug"
    );
    assert_eq!(error.kind, ErrorKind::Rejected);
}

#[test]
fn a_refusal_of_types_names_the_members() {
    let value = json!({
        "family": "web", "cpu": 256, "containerDefinitions": [{"name": "web", "image": "web:1"}],
    });
    let wrong = TaskDefinition::from_value(value).expect("a task definition");
    let message = "NUMBER_VALUE cannot be converted to String";

    for (code, expected) in [
        (
            "SerializationException",
            format!("{message}; `cpu` is a whole number; expected a string"),
        ),
        ("ClientException", message.to_owned()),
    ] {
        let script = Script::new([refusal(code, message)]);
        let refused = run(TaskDefinitions::new(&script.sdk()).register(&wrong));
        assert_eq!(refused.expect_err("refused").message, expected);
    }
}

#[test]
fn a_registration_without_an_arn_is_unexpected() {
    let error = register(answer(&json!({"taskDefinition": {}})))
        .0
        .expect_err("no ARN");

    assert_eq!(
        (error.kind, error.message.as_str()),
        (ErrorKind::Unexpected, "no ARN")
    );
}

fn describe(answer: Answer) -> (Result<Option<(String, TaskDefinition)>, AwsError>, Value) {
    let script = Script::new([answer]);
    let found = run(TaskDefinitions::new(&script.sdk()).describe("web"));
    assert_eq!(script.only().operation(), "DescribeTaskDefinition");
    (found, script.only().json())
}

#[test]
fn a_definition_is_described_with_its_tags_and_unknown_fields() {
    let body = json!({
        "taskDefinition": {
            "taskDefinitionArn": ARN, "revision": 2, "status": "ACTIVE", "family": "web",
            "fieldOfTomorrow": 7,
            "containerDefinitions": [{"name": "web", "image": "web:1", "another": true}]
        },
        "tags": [{"key": "team", "value": "shop"}]
    });
    let (found, sent) = describe(answer(&body));
    let (arn, definition) = found.expect("answered").expect("there");

    assert_eq!(arn, ARN);

    let text: Value = serde_json::from_str(&definition.text()).expect("JSON");

    assert_eq!(
        text,
        json!({
            "family": "web", "fieldOfTomorrow": 7,
            "containerDefinitions": [{"name": "web", "image": "web:1", "another": true}],
            "tags": [{"key": "team", "value": "shop"}]
        })
    );
    assert_eq!(sent, json!({"taskDefinition": "web", "include": ["TAGS"]}));
}

fn missing() -> Answer {
    refusal("ClientException", "Unable to describe task definition.")
}

#[test]
fn a_missing_definition_is_none_and_other_refusals_are_errors() {
    assert!(describe(missing()).0.expect("answered").is_none());

    let error = describe(refusal("ClientException", "Too many revisions"))
        .0
        .expect_err("refused");

    assert_eq!(
        (error.operation, error.kind),
        ("ecs:DescribeTaskDefinition", ErrorKind::Rejected)
    );

    let error = describe(refusal(
        "InvalidParameterException",
        "Unable to describe task definition.",
    ))
    .0;

    assert_eq!(
        error.expect_err("another code").code,
        "InvalidParameterException"
    );

    let error = describe(answer(&json!({"taskDefinition": {"family": "web"}})))
        .0
        .expect_err("no ARN");

    assert_eq!(error.message, "no ARN for web");
}

#[test]
fn only_a_revision_with_the_status_active_is_active() {
    let active = |answer: Answer| {
        let script = Script::new([answer]);
        let active = run(TaskDefinitions::new(&script.sdk()).is_active(ARN));
        assert_eq!(script.only().json(), json!({"taskDefinition": ARN}));
        active
    };

    let status = |word: &str| answer(&json!({"taskDefinition": {"status": word}}));

    assert!(active(status("ACTIVE")).expect("answered"));
    assert!(!active(status("INACTIVE")).expect("answered"));
    assert!(!active(status("DELETE_IN_PROGRESS")).expect("answered"));
    assert!(!active(missing()).expect("answered"));
    assert_eq!(
        active(refusal("AccessDeniedException", "no"))
            .expect_err("denied")
            .kind,
        ErrorKind::Permission
    );
    assert_eq!(
        active(answer(&json!({}))).expect_err("no status").message,
        format!("no status for {ARN}")
    );
}

#[test]
fn a_definition_is_described_with_its_status_in_one_call() {
    let active = |status: Value| {
        let web = json!({
            "taskDefinitionArn": ARN, "family": "web", "status": status,
            "containerDefinitions": [{"name": "web", "image": "web:1"}],
        });
        let script = Script::new([answer(&json!({"taskDefinition": web}))]);
        let found = run(TaskDefinitions::new(&script.sdk()).describe_with_status(ARN));
        assert_eq!(script.only().operation(), "DescribeTaskDefinition");
        found.map(|found| found.map(|(_, is_active)| is_active))
    };

    assert_eq!(active(json!("ACTIVE")).expect("answered"), Some(true));
    assert_eq!(active(json!("INACTIVE")).expect("answered"), Some(false));
    assert_eq!(
        active(Value::Null).expect_err("no status").message,
        format!("no status for {ARN}")
    );
}

#[test]
fn the_named_revision_is_deregistered() {
    let script = Script::new([answer(&json!({}))]);
    run(TaskDefinitions::new(&script.sdk()).deregister(ARN)).expect("deregistered");

    assert_eq!(script.only().operation(), "DeregisterTaskDefinition");
    assert_eq!(script.only().json(), json!({"taskDefinition": ARN}));

    let script = Script::new([refusal(
        "ClientException",
        "The specified task definition does not exist.",
    )]);
    let error = run(TaskDefinitions::new(&script.sdk()).deregister(ARN)).expect_err("refused");

    assert_eq!(error.operation, "ecs:DeregisterTaskDefinition");
}

fn listed(revisions: &[u32], token: Option<&str>) -> Answer {
    let arns: Vec<_> = revisions.iter().map(|revision| arn_of(*revision)).collect();
    let mut page = json!({ "taskDefinitionArns": arns });
    if let Some(token) = token {
        page["nextToken"] = json!(token);
    }
    answer(&page)
}

fn marked(revision: u32, execution: &str, registrant: &str) -> Answer {
    marked_at(revision, execution, registrant, 0)
}

/// A revision that was registered this many seconds after the release began.
fn marked_at(revision: u32, execution: &str, registrant: &str, secs: i64) -> Answer {
    answer(&json!({
        "taskDefinition": {
            "taskDefinitionArn": arn_of(revision), "registeredBy": registrant,
            "registeredAt": NOW + secs,
            "family": "web", "containerDefinitions": [{"name": "web", "image": "web:1"}],
        },
        "tags": [
            {"key": "slipway:execution", "value": execution},
            {"key": "slipway:sent", "value": "ff"},
        ],
    }))
}

const STEP: &str = "arn:aws:sts::111122223333:assumed-role/register/slipway-register";

#[test]
fn a_revision_that_an_operator_registered_with_a_copied_mark_is_not_the_release_s() {
    let user = "arn:aws:iam::111122223333:user/jane";
    let script = Script::new([
        listed(&[11, 10], None),
        marked(11, "e-1", user),
        marked(10, "e-1", STEP),
    ]);
    assert_eq!(registered(&script, 9), [arn_of(10)]);
}

#[test]
fn revisions_of_an_execution_are_found_by_their_marks_on_all_pages_up_to_the_newest_before() {
    let script = Script::new([
        listed(&[12, 11], Some("more")),
        marked(12, "e-1", STEP),
        marked(11, "e-2", STEP),
        listed(&[10, 9, 8], Some("evenmore")),
        marked(10, "e-1", STEP),
    ]);
    assert_eq!(registered(&script, 9), [12, 10].map(arn_of));
}

/// The revisions after `newest` that the execution registered which began at the script's time.
fn registered(script: &Script, newest: u32) -> Vec<String> {
    let began = Timestamp::from_secs(NOW).expect("in range");
    let task_definitions = TaskDefinitions::new(&script.sdk());
    let newest = arn_of(newest);
    let found = run(task_definitions.registered_by("e-1", "web", Some(&newest), began));
    assert!(script.is_played());

    let mark = Mark {
        execution: "e-1".to_owned(),
        sent: "ff".to_owned(),
    };
    let found = found.expect("answered").into_iter();
    found
        .map(|(arn, known)| {
            assert_eq!(known, mark);
            arn
        })
        .collect()
}

#[test]
fn revisions_from_before_the_release_are_not_looked_at_however_many_there_are() {
    let script = Script::new([
        listed(&[4012, 4011, 4010, 4009, 4008], Some("more")),
        marked_at(4012, "e-2", STEP, 60),
        marked_at(4011, "e-1", STEP, 30),
        // AWS's clock may be behind that of the function.
        marked_at(4010, "e-1", STEP, -300),
        marked_at(4009, "e-1", STEP, -301),
    ]);
    assert_eq!(registered(&script, 2), [4011, 4010].map(arn_of));
}

#[test]
fn no_more_than_the_newest_hundred_revisions_are_looked_at() {
    let revisions: Vec<u32> = (1900..=2000).rev().collect();
    let described = revisions[..100].iter().map(|revision| match revision {
        1901 => marked(1901, "e-1", STEP),
        other => marked(*other, "e-2", STEP),
    });
    let answers = std::iter::once(listed(&revisions, Some("more"))).chain(described);
    let script = Script::new(answers);

    assert_eq!(registered(&script, 2), [arn_of(1901)]);
    assert_eq!(script.operations().len(), 101);
}
