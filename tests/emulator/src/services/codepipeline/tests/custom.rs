//! Custom actions, and the workers that poll for their jobs.

use super::*;
use crate::Quirk;

const KIND: [(&str, &str); 4] = [
    ("category", "Deploy"),
    ("owner", "Custom"),
    ("provider", "update-service"),
    ("version", "1"),
];

fn type_id() -> Value {
    KIND.into_iter()
        .map(|(member, value)| (member.to_owned(), json!(value)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

fn property(name: &str, required: bool) -> Value {
    json!({"name": name, "required": required, "key": false, "secret": false, "queryable": false})
}

/// A type with the required property `service` and the optional one `mode`.
pub(super) fn action_type() -> Value {
    json!({
        "category": "Deploy", "provider": "update-service", "version": "1",
        "settings": {"entityUrlTemplate": "https://example.com/{Config:service}"},
        "configurationProperties": [property("service", true), property("mode", false)],
        "inputArtifactDetails": {"minimumCount": 0, "maximumCount": 1},
        "outputArtifactDetails": {"minimumCount": 0, "maximumCount": 0},
    })
}

pub(super) fn custom(configuration: &Value) -> Value {
    json!({
        "name": "Go", "namespace": "Go", "actionTypeId": type_id(),
        "inputArtifacts": [{"name": "Spec"}], "configuration": configuration,
    })
}

/// Lets minutes pass, second by second, so that each thing follows from the one before.
fn minutes(aws: &mut Aws, minutes: u64) {
    (0..minutes * 60).for_each(|_| after(aws, 1));
}

pub(super) fn create(aws: &mut Aws, of_type: &Value) -> Result<Value, ApiError> {
    call(aws, "CreateCustomActionType", of_type)
}

/// An account with the type and a pipeline of it, whose first execution has just started.
fn with_custom(seed: u64) -> Aws {
    let mut aws = account(seed);
    create(&mut aws, &action_type()).unwrap();
    let pipeline = declaration(vec![custom(&json!({"service": "web-#{variables.who}"}))]);
    call(&mut aws, "CreatePipeline", &json!({"pipeline": pipeline})).unwrap();
    minutes(&mut aws, 1);
    aws
}

fn poll(aws: &mut Aws) -> Vec<Value> {
    let output = call(aws, "PollForJobs", &json!({"actionTypeId": type_id()})).unwrap();
    output["jobs"].as_array().unwrap().clone()
}

fn acknowledge(aws: &mut Aws, job: &Value) -> Result<Value, ApiError> {
    let input = json!({"jobId": job["id"], "nonce": job["nonce"]});
    call(aws, "AcknowledgeJob", &input)
}

fn refused(result: Result<Value, ApiError>) -> (String, String) {
    let error = result.expect_err("refused");
    (error.code, error.message)
}

/// An account for which a behaviour comes out as asked.
fn drawn(quirk: Quirk, holds: bool) -> Aws {
    (0..100)
        .map(with_custom)
        .find(|aws| aws.clone().draw_quirk(quirk) == holds)
        .expect("a seed of a hundred")
}

#[test]
fn a_job_names_its_type_pipeline_and_execution_and_has_named_properties() {
    let mut aws = with_custom(3);
    let jobs = poll(&mut aws);
    assert_eq!(jobs.len(), 1);
    let data = &jobs[0]["data"];

    assert_eq!(data["actionTypeId"], type_id());
    assert_eq!(
        data["actionConfiguration"]["configuration"],
        json!({"service": "web-unknown"})
    );
    let execution = aws.codepipeline.executions[0].id.clone();
    let context = &data["pipelineContext"];
    assert_eq!(context["pipelineExecutionId"], execution.as_str());
    assert_eq!(
        context["pipelineArn"],
        format!(
            "arn:aws:codepipeline:{}:111122223333:{PIPELINE}",
            aws.region
        )
    );
    assert_eq!(context["action"]["name"], "Go");
    assert_eq!(data["inputArtifacts"][0]["name"], "Spec");
    assert!(data["artifactCredentials"]["sessionToken"].is_string());

    let details = json!({"jobId": jobs[0]["id"]});
    let details = call(&mut aws, "GetJobDetails", &details).unwrap();
    assert_eq!(&details["jobDetails"]["data"], data);
}

#[test]
fn a_job_belongs_to_the_first_worker_that_acknowledges_it() {
    let mut aws = drawn(Quirk::RenewsNonces, false);
    let (first, second) = (poll(&mut aws), poll(&mut aws));
    assert_eq!(
        first[0]["id"], second[0]["id"],
        "it waits until it is taken"
    );

    assert_eq!(
        acknowledge(&mut aws, &first[0]).unwrap(),
        json!({"status": "InProgress"})
    );
    for late in [&second[0], &first[0]] {
        assert_eq!(
            refused(acknowledge(&mut aws, late)).0,
            "InvalidNonceException"
        );
    }
    assert!(poll(&mut aws).is_empty());
}

#[test]
fn whether_a_poll_renews_the_nonce_differs_by_seed() {
    let mut aws = drawn(Quirk::RenewsNonces, true);
    let (first, second) = (poll(&mut aws), poll(&mut aws));
    assert_eq!(
        refused(acknowledge(&mut aws, &first[0])).0,
        "InvalidNonceException"
    );
    acknowledge(&mut aws, &second[0]).unwrap();
}

#[test]
fn only_an_acknowledged_job_takes_a_result() {
    let mut aws = with_custom(3);
    let job = poll(&mut aws).remove(0);
    let report = json!({"jobId": job["id"]});
    assert_eq!(
        refused(call(&mut aws, "PutJobSuccessResult", &report)).0,
        "InvalidJobStateException"
    );

    acknowledge(&mut aws, &job).unwrap();
    call(&mut aws, "PutJobSuccessResult", &report).unwrap();
    assert_eq!(
        aws.codepipeline.executions[0].status,
        ExecutionStatus::Succeeded
    );
}

#[test]
fn a_token_queues_a_job_of_its_own() {
    let mut aws = with_custom(3);
    let first = poll(&mut aws).remove(0);
    acknowledge(&mut aws, &first).unwrap();
    let report = json!({"jobId": first["id"], "continuationToken": "v1"});
    call(&mut aws, "PutJobSuccessResult", &report).unwrap();
    minutes(&mut aws, 2);

    let second = poll(&mut aws).remove(0);
    assert_ne!(first["id"], second["id"]);
    assert_eq!(second["data"]["continuationToken"], "v1");
    let started = aws.events.events.iter().filter(|event| {
        event["detail"]["state"] == "STARTED" && event["detail"]["type"]["owner"] == "Custom"
    });
    assert_eq!(
        started.count(),
        1,
        "a continued action is not started again"
    );
}

#[test]
fn a_custom_action_ends_after_an_hour_acknowledged_or_not() {
    for is_taken in [true, false] {
        let mut aws = drawn(Quirk::LimitsJobsOfCustomActions, false);
        if is_taken {
            let job = poll(&mut aws).remove(0);
            acknowledge(&mut aws, &job).unwrap();
        }
        minutes(&mut aws, 58);
        assert_eq!(
            aws.codepipeline.executions[0].status,
            ExecutionStatus::InProgress
        );
        minutes(&mut aws, 3);
        assert_eq!(
            aws.codepipeline.executions[0].status,
            ExecutionStatus::Failed
        );
        assert!(poll(&mut aws).is_empty());
    }
}

#[test]
fn whether_the_hour_is_for_each_job_differs_by_seed() {
    let mut aws = drawn(Quirk::LimitsJobsOfCustomActions, true);
    for token in 1..=3 {
        let job = poll(&mut aws).remove(0);
        acknowledge(&mut aws, &job).unwrap();
        minutes(&mut aws, 50);
        let report = json!({"jobId": job["id"], "continuationToken": token.to_string()});
        call(&mut aws, "PutJobSuccessResult", &report).unwrap();
        minutes(&mut aws, 2);
    }
    let last = poll(&mut aws).remove(0);
    minutes(&mut aws, 61);
    let id = last["id"].as_str().unwrap();
    assert_eq!(aws.codepipeline.job(id).unwrap().state, JobState::TimedOut);
}

#[test]
fn a_poll_names_a_known_type_and_its_queryable_property() {
    let mut aws = with_custom(3);
    let mut other = type_id();
    other["version"] = json!("2");
    let input = json!({"actionTypeId": other});
    assert_eq!(
        refused(call(&mut aws, "PollForJobs", &input)).0,
        "ActionTypeNotFoundException"
    );

    let mut of_aws = type_id();
    of_aws["owner"] = json!("AWS");
    let input = json!({"actionTypeId": of_aws});
    let (code, message) = refused(call(&mut aws, "PollForJobs", &input));
    assert_eq!(code, "ValidationException");
    assert!(message.contains("Custom in the owner field"), "{message}");

    let query = json!({"actionTypeId": type_id(), "queryParam": {"service": "web"}});
    assert_eq!(
        refused(call(&mut aws, "PollForJobs", &query)).0,
        "ValidationException"
    );
}

#[test]
fn a_query_finds_the_jobs_whose_property_has_the_value() {
    let mut aws = account(3);
    let mut of_type = action_type();
    of_type["configurationProperties"][0]["queryable"] = json!(true);
    create(&mut aws, &of_type).unwrap();
    let pipeline = declaration(vec![custom(&json!({"service": "web"}))]);
    call(&mut aws, "CreatePipeline", &json!({"pipeline": pipeline})).unwrap();
    minutes(&mut aws, 1);

    for (value, found) in [("web", 1), ("api", 0)] {
        let input = json!({"actionTypeId": type_id(), "queryParam": {"service": value}});
        let output = call(&mut aws, "PollForJobs", &input).unwrap();
        assert_eq!(output["jobs"].as_array().unwrap().len(), found, "{value}");
    }
    let input = json!({"actionTypeId": type_id()});
    let (_, message) = refused(call(&mut aws, "PollForJobs", &input));
    assert_eq!(
        message,
        "queryParam must have the queryable property service"
    );
}

#[test]
fn an_action_has_the_properties_of_its_type_and_no_other() {
    let mut aws = account(3);
    create(&mut aws, &action_type()).unwrap();
    for (configuration, message) in [
        (
            json!({"mode": "fill"}),
            "Action configuration for action 'Go' is missing required configuration 'service'",
        ),
        (
            json!({"service": "web", "mod": "fill"}),
            "Action configuration for action 'Go' contains unknown configuration 'mod'",
        ),
    ] {
        let pipeline = declaration(vec![custom(&configuration)]);
        let created = call(&mut aws, "CreatePipeline", &json!({"pipeline": pipeline}));
        let expected = (
            "InvalidActionDeclarationException".to_owned(),
            message.to_owned(),
        );
        assert_eq!(refused(created), expected);
    }
}

#[test]
fn a_type_has_at_most_ten_properties_and_one_that_is_queryable() {
    let mut aws = account(3);
    let with = |properties: Vec<Value>| {
        let mut of_type = action_type();
        of_type["settings"] = Value::Null;
        of_type["configurationProperties"] = properties.into();
        of_type
    };
    let eleven = (0..11).map(|n| property(&format!("p{n}"), false)).collect();
    let queryable = |name: &str, required: bool| {
        let mut it = property(name, required);
        it["queryable"] = json!(true);
        it
    };

    for (properties, message) in [
        (eleven, "length less than or equal to 10"),
        (
            vec![queryable("a", true), queryable("b", true)],
            "at most one queryable property",
        ),
        (
            vec![queryable("a", false)],
            "a must be required and not secret",
        ),
        (
            vec![property("a", true), property("a", true)],
            "a is declared twice",
        ),
    ] {
        let (code, found) = refused(create(&mut aws, &with(properties)));
        assert_eq!(code, "ValidationException");
        assert!(found.contains(message), "{found}");
    }

    let mut of_type = action_type();
    of_type["settings"]["entityUrlTemplate"] = json!("https://example.com/{Config:mode}");
    let (_, found) = refused(create(&mut aws, &of_type));
    assert!(found.contains("{Config:mode}"), "{found}");
    of_type = action_type();
    of_type["version"] = json!("1234567890");
    let (_, found) = refused(create(&mut aws, &of_type));
    assert!(found.contains("length less than or equal to 9"), "{found}");
}

#[test]
fn a_deleted_type_is_restored_only_by_the_same_definition() {
    let mut aws = with_custom(3);
    assert!(
        refused(create(&mut aws, &action_type()))
            .1
            .contains("already exists")
    );

    let name = json!({"category": "Deploy", "provider": "update-service", "version": "1"});
    call(&mut aws, "DeleteCustomActionType", &name).unwrap();
    let input = json!({"actionTypeId": type_id()});
    assert_eq!(
        refused(call(&mut aws, "PollForJobs", &input)).0,
        "ActionTypeNotFoundException"
    );
    let listed = call(&mut aws, "ListActionTypes", &json!({})).unwrap();
    assert_eq!(listed["actionTypes"], json!([]));

    let mut other = action_type();
    other["configurationProperties"] = json!([]);
    other["settings"] = Value::Null;
    assert!(
        refused(create(&mut aws, &other))
            .1
            .contains("another definition")
    );
    create(&mut aws, &action_type()).unwrap();
    assert_eq!(poll(&mut aws).len(), 1, "its jobs have waited");
    let listed = call(
        &mut aws,
        "ListActionTypes",
        &json!({"actionOwnerFilter": "Custom"}),
    );
    assert_eq!(listed.unwrap()["actionTypes"][0]["id"], type_id());
}
