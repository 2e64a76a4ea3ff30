//! How the project's own functions are set up, what wakes them, and which alarms watch them.

use serde_json::Value;

use super::own_choices::{KEY, TOPIC, properties};
use super::own_logs::deploy_functions_with;
use super::own_templates::{given, root};
use super::*;

#[test]
fn functions_have_the_chosen_architecture_and_key_and_room_for_what_they_read() {
    let chosen = [("Architecture", "x86_64"), ("KmsKeyArn", KEY)];
    for (choices, architecture, key) in [
        (&[][..], "arm64", Value::Null),
        (&chosen[..], "x86_64", json!(KEY)),
    ] {
        let aws = deploy_functions_with(choices);
        let stack = aws.cloudformation.stack("slipway").unwrap();
        for (name, function) in &aws.lambda.functions {
            let mut made = stack.resources.iter();
            let made = made.find(|made| made.physical_id == *name).unwrap();
            let found = &made.properties;
            // None of them reads an artifact or a report.
            let small = [
                "announce-releases",
                "find-task-roles",
                "poll-jobs",
                "start-pipeline",
            ];
            let is_small = small.contains(&&*function.code);
            let memory = if is_small { 128 } else { 256 };

            assert_eq!(found["Architectures"], json!([architecture]), "{name}");
            assert_eq!(found["KmsKeyArn"], key, "{name}");
            assert_eq!(found["MemorySize"], memory, "{name}");
            assert_eq!(function.invoke_config.maximum_retry_attempts, 2, "{name}");
        }
    }
}

#[test]
fn roll_back_gets_each_unsuccessful_end_and_sweeps_every_minute() {
    let aws = deploy_functions_with(&[]);
    let ended = properties(&aws, "slipway", "RollBackFunctionExecutionEnded");
    assert_eq!(
        ended["EventPattern"],
        json!({
            "source": ["aws.codepipeline"],
            "detail-type": ["CodePipeline Pipeline Execution State Change"],
            "detail": {"state": ["FAILED", "STOPPING", "STOPPED", "CANCELED", "SUPERSEDED"]},
        })
    );
    let queue = "arn:aws:sqs:eu-west-1:111122223333:slipway-dead-letters";
    let target = &items(&ended["Targets"])[0];
    assert_eq!(target["DeadLetterConfig"], json!({ "Arn": queue }));

    let sweep = properties(&aws, "slipway", "RollBackFunctionSweep");
    assert_eq!(sweep["ScheduleExpression"], "rate(1 minute)");
    let target = &items(&sweep["Targets"])[0];
    assert_eq!(target["Input"], r#"{"sweep":true}"#);
}

#[test]
fn poll_jobs_gets_each_start_of_an_action_and_polls_every_minute_if_there_are_custom_actions() {
    for (choice, state) in [("no", "DISABLED"), ("yes", "ENABLED")] {
        let aws = deploy_functions_with(&[("CustomActions", choice)]);
        let started = properties(&aws, "slipway", "PollJobsFunctionActionStarted");
        assert_eq!(
            started["EventPattern"],
            json!({
                "source": ["aws.codepipeline"],
                "detail-type": ["CodePipeline Action Execution State Change"],
                "detail": {
                    "state": ["STARTED"],
                    "type": {"owner": ["Custom"], "provider": [{"prefix": "slipway-"}]},
                },
            })
        );
        let poll = properties(&aws, "slipway", "PollJobsFunctionPoll");
        assert_eq!(poll["ScheduleExpression"], "rate(1 minute)");
        assert_eq!(items(&poll["Targets"])[0]["Input"], r#"{"poll":true}"#);

        for rule in [started, poll] {
            assert_eq!(rule["State"], state);
        }
        let is_exported = aws
            .cloudformation
            .export("slipway-PollJobsFunctionArn")
            .is_some();
        assert_eq!(is_exported, choice == "yes");
    }
}

#[test]
fn announce_releases_gets_what_it_announces_if_there_are_notices() {
    let mut aws = deploy_functions_with(&[]);
    assert!(aws.lambda.mappings.is_empty());
    let rule = properties(&aws, "slipway", "AnnounceReleasesFunctionApprovalStarted");
    assert_eq!(rule["State"], "DISABLED");

    // An update turns them on.
    deploy_notices(&mut aws, "yes").unwrap();
    let rule = properties(&aws, "slipway", "AnnounceReleasesFunctionApprovalStarted");
    assert_eq!(rule["State"], "ENABLED");
    assert_eq!(
        rule["EventPattern"],
        json!({
            "source": ["aws.codepipeline"],
            "detail-type": ["CodePipeline Action Execution State Change"],
            "detail": {"state": ["STARTED"], "type": {"category": ["Approval"]}},
        })
    );

    let stream = properties(&aws, "slipway", "AnnounceReleasesStream");
    let table = physical_id(&aws, "slipway", "LedgerTable");
    let found = stream["EventSourceArn"].as_str().map(str::to_owned);
    assert_eq!(found, crate::dynamodb::stream_arn(&aws, &table));
    assert_eq!(stream["MaximumRecordAgeInSeconds"], 82_800);
    let destination = &stream["DestinationConfig"]["OnFailure"]["Destination"];
    let queue = "arn:aws:sqs:eu-west-1:111122223333:slipway-dead-letters";
    assert_eq!(*destination, queue);
    let source = aws.cloudformation.export("slipway-NoticeSource");
    assert_eq!(source, Some("slipway"));

    deploy_notices(&mut aws, "no").unwrap();
    assert!(aws.lambda.mappings.is_empty());
    assert_eq!(crate::dynamodb::stream_arn(&aws, &table), None);
}

fn deploy_notices(aws: &mut Aws, choice: &str) -> Result<(), StackError> {
    let choices = given(&[("Notices", choice)]);
    deploy(aws, "slipway", &root().join("template.yaml"), &choices)
}

#[test]
fn a_stream_is_read_only_under_a_role_that_may_read_it() {
    let mut aws = deploy_functions_with(&[]);
    let role = physical_id(&aws, "slipway", "AnnounceReleasesFunctionRole");
    let role = aws.cloudformation.iam.role_mut(&role).unwrap();
    role.policies.clear();
    let refused = deploy_notices(&mut aws, "yes").unwrap_err().to_string();
    assert!(refused.contains("Cannot access stream"), "{refused}");
}

/// Checks these members of an alarm, and that it notifies the topic.
fn assert_alarm(aws: &Aws, alarm: &str, expected: &Value) {
    let found = properties(aws, "slipway", alarm);
    assert_eq!(found["AlarmActions"], json!([TOPIC]), "{alarm}");
    for (member, value) in expected.as_object().unwrap() {
        assert_eq!(found[member], *value, "{alarm}: {member}");
    }
}

#[test]
fn a_dead_letter_is_an_alarm_and_so_are_five_minutes_without_a_sweep() {
    let aws = deploy_functions_with(&[("NotificationTopicArn", TOPIC)]);
    assert_alarm(
        &aws,
        "DeadLettersAlarm",
        &json!({
            "Namespace": "AWS/SQS", "MetricName": "ApproximateNumberOfMessagesVisible",
            "Dimensions": [{"Name": "QueueName", "Value": "slipway-dead-letters"}],
            "Statistic": "Maximum", "Period": 60, "EvaluationPeriods": 1, "Threshold": 0,
            "ComparisonOperator": "GreaterThanThreshold", "TreatMissingData": "notBreaching",
        }),
    );
    assert_alarm(
        &aws,
        "SweepAlarm",
        &json!({
            "Namespace": "AWS/Lambda", "MetricName": "Invocations",
            "Dimensions": [{"Name": "FunctionName", "Value": "slipway-roll-back"}],
            "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 5, "Threshold": 1,
            "ComparisonOperator": "LessThanThreshold", "TreatMissingData": "breaching",
        }),
    );
}

#[test]
fn errors_and_throttles_are_alarms_in_three_of_five_minutes() {
    let aws = deploy_functions_with(&[("NotificationTopicArn", TOPIC)]);
    for alarm in [
        "StepErrorsAlarm",
        "TrafficErrorsAlarm",
        "EventErrorsAlarm",
        "StepThrottlesAlarm",
        "TrafficThrottlesAlarm",
        "EventThrottlesAlarm",
    ] {
        assert_alarm(
            &aws,
            alarm,
            &json!({
                "EvaluationPeriods": 5, "DatapointsToAlarm": 3, "Threshold": 0,
                "ComparisonOperator": "GreaterThanThreshold", "TreatMissingData": "notBreaching",
            }),
        );

        let [sum, metrics @ ..] = items(&properties(&aws, "slipway", alarm)["Metrics"]) else {
            panic!("{alarm} watches nothing");
        };
        assert_eq!(sum["Expression"], "SUM(METRICS())", "{alarm}");
        for metric in metrics {
            let found = &metric["MetricStat"];
            assert_eq!(metric["ReturnData"], false, "{alarm}");
            assert_eq!(
                (&found["Stat"], &found["Period"]),
                (&json!("Sum"), &json!(60))
            );
            assert_eq!(found["Metric"]["Namespace"], "AWS/Lambda", "{alarm}");
        }
    }
}
