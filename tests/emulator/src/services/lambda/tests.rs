use serde_json::json;

use super::*;

fn account() -> Aws {
    let mut aws = Aws::new(7);
    let function = Function {
        name: "step".to_owned(),
        code: "update-service".to_owned(),
        ..Function::default()
    };
    create_function(&mut aws, function).unwrap();
    aws
}

/// Moves time on and returns the attempt that became ready, if any.
fn after(aws: &mut Aws, secs: i64) -> Option<Attempt> {
    aws.now += secs * 1000;
    aws.run_due();
    aws.lambda.take_ready()
}

#[test]
fn a_failed_invocation_is_retried_after_one_and_two_minutes_then_given_up() {
    let mut aws = account();
    invoke_async(&mut aws, "step", json!({"detail-type": "x"})).unwrap();
    let first = after(&mut aws, 1).unwrap();

    assert_eq!((first.number, first.code.as_str()), (1, "update-service"));

    finished(&mut aws, first.id, Outcome::Failed("no".to_owned()));
    assert!(after(&mut aws, 59).is_none());

    let second = after(&mut aws, 1).unwrap();
    assert_eq!((second.number, &second.request_id), (2, &first.request_id));

    finished(&mut aws, second.id, Outcome::TimedOut);
    assert!(after(&mut aws, 119).is_none());

    let third = after(&mut aws, 1).unwrap();
    finished(&mut aws, third.id, Outcome::Crashed);
    assert!(after(&mut aws, 3600).is_none());
    assert_eq!(aws.lambda.dead_letters[0].condition, "RetriesExhausted");
    assert_eq!(aws.lambda.invocations[0].status, InvocationStatus::GivenUp);
}

#[test]
fn an_event_that_is_too_old_is_not_retried() {
    let mut aws = account();
    let config = EventInvokeConfig {
        maximum_event_age: Duration::from_secs(60),
        ..EventInvokeConfig::default()
    };
    put_event_invoke_config(&mut aws, "step", config).unwrap();
    invoke_async(&mut aws, "step", json!({})).unwrap();

    let first = after(&mut aws, 1).unwrap();
    finished(&mut aws, first.id, Outcome::Crashed);
    assert_eq!(aws.lambda.dead_letters[0].condition, "EventAgeExceeded");
}

#[test]
fn no_retries_when_the_configuration_has_none() {
    let mut aws = account();
    let config = EventInvokeConfig {
        maximum_retry_attempts: 0,
        ..EventInvokeConfig::default()
    };
    put_event_invoke_config(&mut aws, "step", config).unwrap();
    invoke_async(&mut aws, "step", json!({})).unwrap();

    let first = after(&mut aws, 1).unwrap();
    finished(&mut aws, first.id, Outcome::Crashed);
    assert_eq!(aws.lambda.dead_letters.len(), 1);
}

#[test]
fn an_unknown_function_is_named_by_its_arn() {
    let error = invoke_async(&mut account(), "gone", json!({})).unwrap_err();
    assert_eq!(
        error.to_string(),
        "ResourceNotFoundException: Function not found: \
         arn:aws:lambda:eu-west-1:111122223333:function:gone"
    );
}

#[test]
fn a_duplicate_is_a_delivery_of_its_own_with_the_same_request() {
    let mut aws = account();
    let id = invoke_async(&mut aws, "step", json!({"CodePipeline.job": {}})).unwrap();
    let first = after(&mut aws, 1).unwrap();
    finished(&mut aws, first.id, Outcome::Succeeded(json!(null)));
    duplicate(&mut aws, id, Duration::from_secs(30));

    assert!(after(&mut aws, 29).is_none());

    let again = after(&mut aws, 2).unwrap();
    assert_eq!(
        (again.number, again.payload, again.request_id),
        (1, first.payload, first.request_id)
    );
    assert_ne!(again.invocation, first.invocation);
    assert_eq!(aws.lambda.invocations[1].duplicate_of, Some(id));
    assert_eq!(aws.lambda.invocations[1].kind, "CodePipeline.job");
}

#[test]
fn a_permission_with_a_wildcard_covers_rules_of_that_prefix_only() {
    let mut aws = account();
    let rule = |name: &str| format!("arn:aws:events:eu-west-1:111122223333:rule/{name}");
    let permission = Permission {
        statement_id: "rules".to_owned(),
        principal: "events.amazonaws.com".to_owned(),
        source_arn: Some(rule("slipway-*")),
        source_account: None,
    };
    add_permission(&mut aws, "step", permission.clone()).unwrap();

    assert!(allows(
        &aws,
        "step",
        "events.amazonaws.com",
        &rule("slipway-web-push")
    ));
    assert!(!allows(
        &aws,
        "step",
        "events.amazonaws.com",
        &rule("other")
    ));
    assert!(!allows(
        &aws,
        "step",
        "sns.amazonaws.com",
        &rule("slipway-web-push")
    ));
    assert_eq!(
        add_permission(&mut aws, "step", permission)
            .unwrap_err()
            .code,
        "ResourceConflictException"
    );
}

#[test]
fn a_resource_policy_holds_twenty_kilobytes() {
    let mut aws = account();
    let mut add = |n: usize| {
        let permission = Permission {
            statement_id: format!("statement-{n}"),
            principal: "events.amazonaws.com".to_owned(),
            source_arn: Some(format!(
                "arn:aws:events:eu-west-1:111122223333:rule/slipway-{n}"
            )),
            source_account: None,
        };
        add_permission(&mut aws, "step", permission)
    };
    let refused = (0..200).find_map(|n| add(n).err()).unwrap();

    assert_eq!(refused.code, "PolicyLengthExceededException");
}

#[test]
fn an_event_without_room_waits_longer_each_time_and_uses_no_attempt() {
    let mut aws = account();
    aws.quotas.concurrent_attempts = 1;
    invoke_async(&mut aws, "step", json!({})).unwrap();
    let first = after(&mut aws, 1).unwrap();
    invoke_async(&mut aws, "step", json!({})).unwrap();
    // It is looked at after some milliseconds, and then 1, 3 and 7 seconds later.
    for wait in [1, 2, 4, 1] {
        assert!(after(&mut aws, wait).is_none());
    }
    assert!(aws.lambda.invocations[1].attempts.is_empty());

    finished(&mut aws, first.id, Outcome::Succeeded(json!({})));
    assert!(after(&mut aws, 7).is_none());
    let second = after(&mut aws, 1).unwrap();
    assert_eq!((second.invocation, second.number), (1, 1));
}

#[test]
fn an_event_without_room_is_given_up_at_its_age() {
    let mut aws = account();
    aws.quotas.concurrent_attempts = 0;
    let config = EventInvokeConfig {
        maximum_event_age: Duration::from_secs(60),
        ..EventInvokeConfig::default()
    };
    put_event_invoke_config(&mut aws, "step", config).unwrap();
    invoke_async(&mut aws, "step", json!({})).unwrap();
    assert!(after(&mut aws, 300).is_none());
    assert_eq!(aws.lambda.dead_letters[0].condition, "EventAgeExceeded");
}
