use super::*;

#[test]
fn a_rate_fires_again_and_again_until_it_is_disabled() {
    let mut aws = account();
    call(
        &mut aws,
        "PutRule",
        &json!({"Name": "slipway-sweep", "ScheduleExpression": "rate(1 minute)"}),
    )
    .unwrap();
    let target = json!({"Id": "t", "Arn": "arn:aws:lambda:eu-west-1:111122223333:function:start"});
    call(
        &mut aws,
        "PutTargets",
        &json!({"Rule": "slipway-sweep", "Targets": [target]}),
    )
    .unwrap();
    aws.now += 182_000;
    aws.run_due();

    assert_eq!(aws.lambda.invocations.len(), 3);
    assert_eq!(aws.lambda.invocations[0].kind, "Scheduled Event");

    call(&mut aws, "DisableRule", &json!({"Name": "slipway-sweep"})).unwrap();
    aws.now += 600_000;
    aws.run_due();
    assert_eq!(aws.lambda.invocations.len(), 3);
}

#[test]
fn a_rule_with_a_pattern_and_a_schedule_does_both() {
    let mut aws = account();
    let pattern = json!({"source": ["aws.ecr"]}).to_string();
    let rule = json!({
        "Name": "slipway-web", "EventPattern": pattern, "ScheduleExpression": "rate(1 hour)",
    });
    call(&mut aws, "PutRule", &rule).unwrap();
    let target = json!({"Id": "t", "Arn": "arn:aws:lambda:eu-west-1:111122223333:function:start"});
    let targets = json!({"Rule": "slipway-web", "Targets": [target]});
    call(&mut aws, "PutTargets", &targets).unwrap();

    emit(
        &mut aws,
        "aws.ecr",
        "ECR Image Action",
        Vec::new(),
        json!({}),
    );
    aws.now += 2 * 3_600_000 + 2_000;
    aws.run_due();
    let kinds: Vec<_> = aws.lambda.invocations.iter().map(|one| &one.kind).collect();
    assert_eq!(
        kinds,
        ["ECR Image Action", "Scheduled Event", "Scheduled Event"]
    );
}

#[test]
fn a_cron_schedule_fires_at_its_minutes_until_it_is_disabled() {
    let mut aws = account();
    let rule = json!({"Name": "slipway-sweep", "ScheduleExpression": "cron(0/20 9-10 * * ? *)"});
    call(&mut aws, "PutRule", &rule).unwrap();
    let target = json!({"Id": "t", "Arn": "arn:aws:lambda:eu-west-1:111122223333:function:start"});
    let targets = json!({"Rule": "slipway-sweep", "Targets": [target]});
    call(&mut aws, "PutTargets", &targets).unwrap();
    // A day from 09:00 on, when the first minute has begun already.
    aws.now += 24 * 3_600_000 - 1;
    aws.run_due();

    let times: Vec<&Value> = aws
        .events
        .events
        .iter()
        .map(|event| &event["time"])
        .collect();
    assert_eq!(
        times,
        [
            "2026-01-05T09:20:00Z",
            "2026-01-05T09:40:00Z",
            "2026-01-05T10:00:00Z",
            "2026-01-05T10:20:00Z",
            "2026-01-05T10:40:00Z",
        ]
    );

    call(&mut aws, "DisableRule", &json!({"Name": "slipway-sweep"})).unwrap();
    aws.now += 24 * 3_600_000;
    aws.run_due();
    assert_eq!(aws.events.events.len(), 5);
}

#[test]
fn a_rate_has_a_unit_that_agrees_with_its_value() {
    for good in [
        "rate(1 minute)",
        "rate(5 minutes)",
        "rate(1 day)",
        "rate(2 hours)",
    ] {
        Schedule::parse(good).unwrap();
    }
    for bad in [
        "rate(1 minutes)",
        "rate(5 minute)",
        "rate(0 minutes)",
        "rate(5 weeks)",
        "every minute",
        "cron(0 9 * * * *)",
    ] {
        assert_eq!(
            Schedule::parse(bad).unwrap_err().code,
            "ValidationException",
            "{bad}"
        );
    }
}
