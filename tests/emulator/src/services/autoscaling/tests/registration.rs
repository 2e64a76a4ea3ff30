//! What the operations accept, keep, return and refuse.

mod policies;

use super::*;

#[test]
fn an_update_leaves_what_it_does_not_name() {
    let mut aws = account(1, 2);
    let arn = register(
        &mut aws,
        json!({
            "MinCapacity": 2, "MaxCapacity": 6,
        }),
    )
    .unwrap()["ScalableTargetARN"]
        .clone();
    let all = |value: bool| {
        json!({
            "DynamicScalingInSuspended": value, "DynamicScalingOutSuspended": false,
            "ScheduledScalingSuspended": false,
        })
    };

    assert_eq!(described(&mut aws)["SuspendedState"], all(false));

    let suspend = json!({"SuspendedState": {"DynamicScalingInSuspended": true}});
    assert_eq!(
        register(&mut aws, suspend).unwrap()["ScalableTargetARN"],
        arn
    );

    register(&mut aws, json!({"MaxCapacity": 8})).unwrap();
    let target = described(&mut aws);
    assert_eq!(
        (&target["MinCapacity"], &target["MaxCapacity"]),
        (&json!(2), &json!(8))
    );
    assert_eq!(target["SuspendedState"], all(true));
    assert_eq!(
        (&target["ResourceId"], &target["ScalableTargetARN"]),
        (&json!(WEB), &arn)
    );

    register(
        &mut aws,
        json!({"SuspendedState": {"DynamicScalingInSuspended": false}}),
    )
    .unwrap();
    assert_eq!(described(&mut aws)["SuspendedState"], all(false));
}

#[test]
fn a_new_target_needs_both_bounds_in_order() {
    let mut aws = account(1, 2);
    let refused = [
        (
            json!({"MaxCapacity": 4}),
            "Minimum capacity must be specified",
        ),
        (
            json!({"MinCapacity": 1}),
            "Maximum capacity must be specified",
        ),
        (
            json!({"MinCapacity": 5, "MaxCapacity": 4}),
            "Maximum capacity cannot be less than minimum capacity",
        ),
        (
            json!({"MinCapacity": -1, "MaxCapacity": 4}),
            "Minimum capacity cannot be less than 0",
        ),
        (
            json!({"MinCapacity": 1, "MaxCapacity": 4, "Unknown": 1}),
            "does not serve the member Unknown",
        ),
    ];

    for (members, expected) in refused {
        let message = error(register(&mut aws, members));
        assert!(
            message.starts_with("ValidationException: ") && message.contains(expected),
            "{message}"
        );
    }

    register(&mut aws, json!({"MinCapacity": 1, "MaxCapacity": 4})).unwrap();
    let above = error(register(&mut aws, json!({"MinCapacity": 5})));
    assert!(
        above.contains("Maximum capacity cannot be less than minimum capacity"),
        "{above}"
    );
}

#[test]
fn a_target_is_a_service_that_exists() {
    let mut aws = account(1, 2);
    let with = |member: &str, value: &str| {
        let mut input = about(json!({"MinCapacity": 1, "MaxCapacity": 4}));
        input[member] = value.into();
        input
    };
    let unsupported = "Unsupported service namespace, resource type or scalable dimension";
    let cases = [
        (
            "ResourceId",
            "service/main/none",
            "ECS service doesn't exist: service/main/none",
        ),
        ("ResourceId", "web", unsupported),
        ("ScalableDimension", "ecs:service:Count", unsupported),
        (
            "ServiceNamespace",
            "ecss",
            "1 validation error detected: Value 'ecss' at 'serviceNamespace' failed",
        ),
    ];

    for (member, value, expected) in cases {
        let message = error(call(
            &mut aws,
            "RegisterScalableTarget",
            &with(member, value),
        ));
        assert!(message.contains(expected), "{message}");
    }

    let message = error(call(
        &mut aws,
        "RegisterScalableTarget",
        &json!({"ServiceNamespace": "ecs"}),
    ));
    assert!(
        message.contains(
            "Value null at 'resourceId' failed to satisfy constraint: Member must not be null"
        ),
        "{message}"
    );
}

/// An account in which services of these names are registered, besides `web`, which is not.
fn with_targets(names: &[&str]) -> Aws {
    let mut aws = account(1, 1);
    for name in names {
        let service = json!({
            "cluster": "main", "serviceName": name, "taskDefinition": "web", "desiredCount": 0,
        });
        ecs::call(&mut aws, "CreateService", &service).unwrap();
        let target = json!({
            "ServiceNamespace": "ecs",
            "ResourceId": format!("service/main/{name}"),
            "ScalableDimension": DIMENSION, "MinCapacity": 0, "MaxCapacity": 1,
        });
        call(&mut aws, "RegisterScalableTarget", &target).unwrap();
    }
    aws
}

#[test]
fn targets_are_described_by_id_and_in_pages() {
    let mut aws = with_targets(&["a", "b", "c"]);
    let mut ask = |members: Value| {
        let mut input = json!({"ServiceNamespace": "ecs"});
        input
            .as_object_mut()
            .unwrap()
            .extend(members.as_object().unwrap().clone());
        call(&mut aws, "DescribeScalableTargets", &input)
    };
    let ids = |answer: &Value| -> Vec<String> {
        answer["ScalableTargets"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["ResourceId"].to_string())
            .collect()
    };
    let first = ask(json!({"MaxResults": 2})).unwrap();

    assert_eq!(ids(&first), ["\"service/main/a\"", "\"service/main/b\""]);

    let second = ask(json!({"MaxResults": 2, "NextToken": first["NextToken"]})).unwrap();
    assert_eq!(
        (ids(&second), second.get("NextToken")),
        (vec!["\"service/main/c\"".to_owned()], None)
    );
    assert_eq!(
        ids(&ask(json!({"ResourceIds": ["service/main/b", "service/main/none"]})).unwrap()),
        ["\"service/main/b\""]
    );
    assert!(error(ask(json!({"NextToken": "zz"}))).starts_with("InvalidNextTokenException"));
    assert!(
        error(ask(json!({"ScalableDimension": DIMENSION})))
            .contains("ResourceIds must be specified")
    );
    assert!(error(ask(json!({"MaxResults": 51}))).starts_with("ValidationException"));
}

#[test]
fn pages_of_targets_are_as_short_as_the_account_is_set_to() {
    let mut aws = with_targets(&["a", "b"]);
    aws.pages = Some(1);
    let mut input =
        json!({"ServiceNamespace": "ecs", "ResourceIds": ["service/main/a", "service/main/b"]});

    let mut seen = Vec::new();
    for _ in 0..2 {
        let page = call(&mut aws, "DescribeScalableTargets", &input).unwrap();
        seen.push((
            page["ScalableTargets"][0]["ResourceId"].clone(),
            page["ScalableTargets"].as_array().map(Vec::len),
        ));
        input["NextToken"] = page["NextToken"].clone();
    }

    assert_eq!(
        seen,
        [
            (json!("service/main/a"), Some(1)),
            (json!("service/main/b"), Some(1))
        ]
    );
    assert_eq!(input["NextToken"], Value::Null);
}

#[test]
fn a_registration_pulls_the_count_between_the_bounds() {
    for (before, after) in [(0, 2), (1, 2), (3, 3), (9, 4)] {
        let mut aws = account(1, before);
        register(&mut aws, json!({"MinCapacity": 2, "MaxCapacity": 4})).unwrap();
        run(&mut aws, 10);

        assert_eq!(count(&aws), after, "from {before}");

        // Even a change of nothing but a suspension compares count and bounds again.
        ecs::call(
            &mut aws,
            "UpdateService",
            &json!({"cluster": "main", "service": "web", "desiredCount": 0}),
        )
        .unwrap();
        run(&mut aws, 120);
        assert_eq!(
            count(&aws),
            0,
            "a count below the minimum stays until a registration or a scale-out"
        );

        register(
            &mut aws,
            json!({"SuspendedState": {"DynamicScalingInSuspended": true}}),
        )
        .unwrap();
        run(&mut aws, 10);
        assert_eq!(count(&aws), 2);

        let deployments = aws
            .ecs
            .service_named("main", "web")
            .unwrap()
            .deployments
            .len();
        assert_eq!(deployments, 1, "a change of count starts no deployment");
    }
}

#[test]
fn whether_bounds_hold_while_scaling_is_suspended_differs_by_seed() {
    let counts: Vec<u32> = (0..20)
        .map(|seed| {
            let mut aws = account(seed, 9);
            let members = json!({
                "MinCapacity": 2, "MaxCapacity": 4,
                "SuspendedState": {"DynamicScalingInSuspended": true},
            });
            register(&mut aws, members).unwrap();
            run(&mut aws, 10);
            count(&aws)
        })
        .collect();
    assert!(counts.contains(&4) && counts.contains(&9), "{counts:?}");
}
