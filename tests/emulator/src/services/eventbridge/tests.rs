mod entries;
mod schedules;

use serde_json::{Value, json};

use super::*;
use crate::ApiError;
use crate::lambda::{Function, Permission};

fn matched(pattern: Value, event: Value) -> bool {
    let pattern = Pattern::parse(&pattern.to_string()).unwrap();
    pattern.matches(&Fields::of(&event.to_string()).unwrap())
}

#[test]
fn patterns_match_as_documented() {
    let event = json!({
        "source": "aws.ecr",
        "detail": {"tag": "v1.2", "count": 3, "list": ["a", "b"], "none": null},
    });
    let check = |pattern: Value| matched(pattern, event.clone());

    assert!(check(json!({"source": ["other", "aws.ecr"]})));
    assert!(!check(json!({"source": ["aws.ecs"]})));
    assert!(check(
        json!({"source": ["aws.ecr"], "detail": {"tag": [{"prefix": "v1"}]}})
    ));
    assert!(check(json!({"detail": {"tag": [{"suffix": ".2"}]}})));
    assert!(check(
        json!({"detail": {"tag": [{"equals-ignore-case": "V1.2"}]}})
    ));
    assert!(check(
        json!({"detail": {"tag": [{"prefix": {"equals-ignore-case": "V1"}}]}})
    ));
    assert!(check(json!({"detail": {"tag": [{"wildcard": "v*.2"}]}})));
    assert!(!check(
        json!({"detail": {"tag": [{"anything-but": ["v1.2", "v1.3"]}]}})
    ));
    assert!(!check(
        json!({"detail": {"tag": [{"anything-but": {"prefix": "v"}}]}})
    ));
    assert!(check(json!({"detail": {"tag": [{"anything-but": "v2"}]}})));
    assert!(check(
        json!({"detail": {"count": [{"numeric": [">", 0, "<=", 3]}]}})
    ));
    assert!(!check(
        json!({"detail": {"count": [{"numeric": ["<", 3]}]}})
    ));
    assert!(check(json!({"detail": {"list": ["b"]}})));
    assert!(check(json!({"detail": {"none": [null]}})));
    assert!(check(json!({"detail": {"gone": [{"exists": false}]}})));
    assert!(!check(json!({"detail": {"gone": [{"exists": true}]}})));
    assert!(!check(json!({"detail": {"gone": [{"anything-but": "x"}]}})));
    assert!(check(
        json!({"$or": [{"source": ["x"]}, {"detail": {"count": [3]}}]})
    ));
}

#[test]
fn unknown_matchers_are_refused() {
    let bad = [
        json!({"a": [{"starts-with": "x"}]}),
        json!({"a": "x"}),
        json!({"a": []}),
        json!({}),
        json!({"a": [{"numeric": ["!", 1]}]}),
        json!({"a": [{"prefix": 1}]}),
    ];
    for pattern in bad {
        assert_eq!(
            Pattern::parse(&pattern.to_string()).unwrap_err().code,
            "InvalidEventPatternException",
            "{pattern}"
        );
    }
}

/// An account with the function `start`, which rules named `slipway-…` may invoke.
fn account() -> Aws {
    let mut aws = Aws::new(11);
    lambda::create_function(
        &mut aws,
        Function {
            name: "start".to_owned(),
            ..Function::default()
        },
    )
    .unwrap();
    let permission = Permission {
        statement_id: "rules".to_owned(),
        principal: "events.amazonaws.com".to_owned(),
        source_arn: Some("arn:aws:events:eu-west-1:111122223333:rule/slipway-*".to_owned()),
        source_account: None,
    };
    lambda::add_permission(&mut aws, "start", permission).unwrap();
    aws
}

fn put_rule(aws: &mut Aws, name: &str, more: Value) -> Result<Value, ApiError> {
    let mut target =
        json!({"Id": "start", "Arn": "arn:aws:lambda:eu-west-1:111122223333:function:start"});
    for (member, value) in more.as_object().unwrap() {
        target[member] = value.clone();
    }

    call(
        aws,
        "PutRule",
        &json!({"Name": name, "EventPattern": r#"{"source":["aws.ecr"]}"#}),
    )?;
    call(
        aws,
        "PutTargets",
        &json!({"Rule": name, "Targets": [target]}),
    )
}

/// What the function receives for one event.
fn received(aws: &mut Aws) -> Value {
    emit(
        aws,
        "aws.ecr",
        "ECR Image Action",
        Vec::new(),
        json!({"tag": "v\"1", "size": 7}),
    );
    aws.now += 2000;
    aws.run_due();
    aws.lambda.take_ready().unwrap().payload
}

#[test]
fn an_event_reaches_its_target_within_two_seconds() {
    let mut aws = account();
    put_rule(&mut aws, "slipway-web", json!({})).unwrap();
    let event = received(&mut aws);

    assert_eq!(
        (&event["version"], &event["time"]),
        (&json!("0"), &json!("2026-01-05T09:00:00Z"))
    );
    assert_eq!(event["detail"]["size"], 7);
    assert_eq!(
        aws.events.deliveries[0].outcome,
        DeliveryOutcome::Invoked(0)
    );
}

#[test]
fn without_a_permission_for_the_rule_nothing_is_invoked() {
    let mut aws = account();
    put_rule(&mut aws, "other-web", json!({})).unwrap();
    emit(
        &mut aws,
        "aws.ecr",
        "ECR Image Action",
        Vec::new(),
        json!({}),
    );
    aws.now += 2000;
    aws.run_due();

    assert!(aws.lambda.invocations.is_empty());

    let DeliveryOutcome::Failed(reason) = &aws.events.deliveries[0].outcome else {
        panic!("{:?}", aws.events.deliveries[0]);
    };
    assert!(reason.contains("not authorized"), "{reason}");
}

#[test]
fn input_and_input_path_choose_what_is_sent() {
    let mut aws = account();
    put_rule(
        &mut aws,
        "slipway-web",
        json!({"Input": r#"{"sweep":true}"#}),
    )
    .unwrap();

    assert_eq!(received(&mut aws), json!({"sweep": true}));

    put_rule(
        &mut aws,
        "slipway-web",
        json!({"InputPath": "$.detail.size"}),
    )
    .unwrap();
    assert_eq!(received(&mut aws), json!(7));
}

#[test]
fn a_transformer_fills_values_and_strings() {
    let mut aws = account();
    let template = concat!(
        r#"{"rule":<aws.events.rule-arn>,"at":"<aws.events.event.ingestion-time>","tag":<tag>,"#,
        r#""text":"tag <tag> size <size>","size":<size>,"event":<aws.events.event.json>}"#
    );
    let paths = json!({"tag": "$.detail.tag", "size": "$.detail.size"});
    put_rule(
        &mut aws,
        "slipway-web",
        json!({"InputTransformer": {"InputPathsMap": paths, "InputTemplate": template}}),
    )
    .unwrap();

    let sent = received(&mut aws);
    assert_eq!(
        sent["rule"],
        "arn:aws:events:eu-west-1:111122223333:rule/slipway-web"
    );
    assert_eq!(sent["at"], "2026-01-05T09:00:00Z");
    assert_eq!((&sent["tag"], &sent["size"]), (&json!("v\"1"), &json!(7)));
    assert_eq!(sent["text"], "tag v\"1 size 7");
    assert_eq!(sent["event"]["detail-type"], "ECR Image Action");
}

/// What a template makes of one event.
fn transformed(paths: Value, template: &str) -> Option<Value> {
    let mut aws = account();
    let transformer = json!({"InputPathsMap": paths, "InputTemplate": template});
    put_rule(
        &mut aws,
        "slipway-web",
        json!({ "InputTransformer": transformer }),
    )
    .unwrap();
    let detail = json!({"tags": ["a", "b"], "image": {"size": 7}});
    emit(&mut aws, "aws.ecr", "ECR Image Action", Vec::new(), detail);
    aws.now += 2000;
    aws.run_due();
    aws.lambda.take_ready().map(|invocation| invocation.payload)
}

#[test]
fn an_absent_path_is_an_empty_string() {
    let sent = transformed(
        json!({"gone": "$.detail.gone"}),
        r#"{"a":<gone>,"b":"<gone>"}"#,
    );
    assert_eq!(sent, Some(json!({"a": "", "b": ""})));
}

#[test]
fn nested_values_within_quotes() {
    let paths = json!({"tags": "$.detail.tags", "image": "$.detail.image"});
    let text = transformed(paths.clone(), r#""<tags> of <image>""#);
    assert_eq!(text, Some(json!("[a,b] of {size:7}")));
    assert_eq!(transformed(paths, r#"{"tags":"<tags>"}"#), None);
    let event = transformed(json!({}), r#"{"event":<aws.events.event>}"#).unwrap();
    assert_eq!(event["event"]["detailType"], "ECR Image Action");
    assert_eq!(
        (
            event["event"].get("detail"),
            event["event"].get("detail-type")
        ),
        (None, None)
    );
}

#[test]
fn a_bad_transformer_is_refused_when_it_is_put() {
    let mut aws = account();
    for template in [
        r#"{"event":"<aws.events.event.json>"}"#,
        r#"{"a":<unknown>}"#,
        r#"{"a":}"#,
        r#"{<tag>:1}"#,
    ] {
        let transformer =
            json!({"InputPathsMap": {"tag": "$.detail.tag"}, "InputTemplate": template});
        let error = put_rule(
            &mut aws,
            "slipway-web",
            json!({ "InputTransformer": transformer }),
        )
        .unwrap_err();
        assert_eq!(error.code, "ValidationException", "{template}");
    }

    let both = json!({"Input": "{}", "InputPath": "$"});
    assert_eq!(
        put_rule(&mut aws, "slipway-web", both).unwrap_err().code,
        "ValidationException"
    );
}

#[test]
fn a_rule_with_targets_cannot_be_deleted() {
    let mut aws = account();
    put_rule(&mut aws, "slipway-web", json!({})).unwrap();
    let delete = json!({"Name": "slipway-web"});

    assert_eq!(
        call(&mut aws, "DeleteRule", &delete).unwrap_err().code,
        "ValidationException"
    );

    call(
        &mut aws,
        "RemoveTargets",
        &json!({"Rule": "slipway-web", "Ids": ["start"]}),
    )
    .unwrap();
    call(&mut aws, "DeleteRule", &delete).unwrap();
    assert!(aws.events.rules.is_empty());
    assert_eq!(
        call(&mut aws, "DisableRule", &delete).unwrap_err().code,
        "ResourceNotFoundException"
    );
}

#[test]
fn best_effort_events_can_be_lost_on_demand() {
    let mut aws = account();
    aws.events.faults.lose_percent = 100;
    put_rule(&mut aws, "slipway-web", json!({})).unwrap();
    emit(
        &mut aws,
        "aws.ecr",
        "ECR Image Action",
        Vec::new(),
        json!({}),
    );

    assert_eq!(aws.events.deliveries[0].outcome, DeliveryOutcome::Lost);
}

#[test]
fn a_bus_has_thirty_rules_with_wildcards_and_three_hundred_in_all() {
    let mut aws = Aws::new(7);
    let put = |aws: &mut Aws, name: String, matcher: &str| {
        let pattern = json!({"source": [{matcher: "aws.*"}]});
        let rule = json!({"Name": name, "EventPattern": pattern.to_string()});
        call(aws, "PutRule", &rule)
    };
    for number in 0..30 {
        put(&mut aws, format!("wildcard-{number}"), "wildcard").unwrap();
    }
    put(&mut aws, "wildcard-0".to_owned(), "wildcard").unwrap();
    let refused = put(&mut aws, "wildcard-30".to_owned(), "wildcard").unwrap_err();
    assert_eq!(refused.code, "LimitExceededException");

    for number in 30..300 {
        put(&mut aws, format!("prefix-{number}"), "prefix").unwrap();
    }
    put(&mut aws, "prefix-300".to_owned(), "prefix").unwrap_err();
    aws.quotas.rules = 301;
    put(&mut aws, "prefix-300".to_owned(), "prefix").unwrap();
}
