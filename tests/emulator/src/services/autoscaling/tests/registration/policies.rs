//! Scaling policies of a registered target.

use crate::autoscaling::tests::*;

fn policies(aws: &mut Aws) -> Value {
    let input = json!({"ServiceNamespace": "ecs"});
    call(aws, "DescribeScalingPolicies", &input).unwrap()["ScalingPolicies"].clone()
}

#[test]
fn policies_belong_to_a_registered_target_and_go_with_it() {
    let mut aws = account(1, 1);
    let none = "for service namespace: ecs, resource ID: service/main/web, scalable dimension: \
        ecs:service:DesiredCount";
    let message = error(put(&mut aws, "cpu", cpu(50.0)));

    assert_eq!(
        message,
        format!("ObjectNotFoundException: No scalable target registered {none}")
    );

    let unregistered = call(&mut aws, "DeregisterScalableTarget", &about(json!({})));
    assert_eq!(
        error(unregistered),
        format!("ObjectNotFoundException: No scalable target found {none}")
    );

    register(&mut aws, json!({"MinCapacity": 1, "MaxCapacity": 4})).unwrap();
    let first = put(&mut aws, "cpu", cpu(50.0)).unwrap();
    assert_eq!(
        put(&mut aws, "cpu", cpu(60.0)).unwrap()["PolicyARN"],
        first["PolicyARN"]
    );

    let policy = policies(&mut aws)[0].clone();
    assert_eq!(
        policy["TargetTrackingScalingPolicyConfiguration"],
        cpu(60.0)
    );
    assert_eq!(policy["Alarms"].as_array().map(Vec::len), Some(2));

    let gone = call(
        &mut aws,
        "DeleteScalingPolicy",
        &about(json!({"PolicyName": "memory"})),
    );
    assert_eq!(
        error(gone),
        format!("ObjectNotFoundException: No scaling policy found {none}, policy name: memory")
    );

    call(&mut aws, "DeregisterScalableTarget", &about(json!({}))).unwrap();
    assert_eq!(policies(&mut aws), json!([]));
}

fn by_metric(specification: Value) -> Value {
    json!({"TargetValue": 5, "PredefinedMetricSpecification": specification})
}

#[test]
fn configurations_of_policies_are_checked() {
    let mut aws = account(1, 1);
    register(&mut aws, json!({"MinCapacity": 1, "MaxCapacity": 4})).unwrap();
    let by_label = json!({
        "PredefinedMetricType": "ALBRequestCountPerTarget",
        "ResourceLabel": "app/none/1/targetgroup/none/2",
    });
    let refused = [
        (
            json!({"TargetValue": 5}),
            "Exactly one of predefined and customized",
        ),
        (cpu(0.0), "TargetValue must be greater than 0"),
        (
            by_metric(json!({"PredefinedMetricType": "LambdaProvisionedConcurrencyUtilization"})),
            "is not a predefined metric of service namespace ecs",
        ),
        (
            by_metric(json!({"PredefinedMetricType": "ALBRequestCountPerTarget"})),
            "ResourceLabel must be specified",
        ),
        (by_metric(by_label), "was not found"),
    ];

    for (configuration, expected) in refused {
        let message = error(put(&mut aws, "web", configuration));
        assert!(
            message.starts_with("ValidationException: ") && message.contains(expected),
            "{message}"
        );
    }

    put(&mut aws, "cpu", cpu(50.0)).unwrap();
    let twice = error(put(&mut aws, "again", cpu(70.0)));
    assert!(
        twice.contains(
            "Only one TargetTrackingScaling policy for a given metric specification is allowed"
        ),
        "{twice}"
    );
}
