//! The rules of Elastic Load Balancing, each by its own test.

use std::collections::BTreeMap;

use serde_json::json;

use super::*;
use crate::ApiError;
use crate::protocol::xml;

mod callers;
mod health;
mod requests;
mod rules;

/// The XML that an action returns.
fn call(
    aws: &mut Aws,
    action: &str,
    parameters: &BTreeMap<String, String>,
) -> Result<String, ApiError> {
    Ok(xml::response(
        NAMESPACE,
        action,
        &run_operation(aws, action, parameters)?,
        "id",
    ))
}

/// A load balancer whose listener forwards to `blue` with weight 1; `green` is not used.
fn balanced() -> (Aws, String, String, String) {
    let mut aws = Aws::new(1);
    let group = |aws: &mut Aws, name: &str| {
        let properties = json!({
            "Name": name, "TargetType": "ip", "Port": 80, "HealthCheckIntervalSeconds": 10,
            "HealthyThresholdCount": 3, "UnhealthyThresholdCount": "2",
            "TargetGroupAttributes": [
                {"Key": "deregistration_delay.timeout_seconds", "Value": "60"},
            ],
        });
        create_target_group(aws, &properties).unwrap()["Arn"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let (blue, green) = (group(&mut aws, "blue"), group(&mut aws, "green"));
    let balancer = create_load_balancer(&mut aws, &json!({"Name": "web"})).unwrap();
    let listener = json!({
        "LoadBalancerArn": balancer["Arn"], "Port": 80, "Protocol": "HTTP",
        "DefaultActions": [{"Type": "forward", "TargetGroupArn": blue}],
    });
    let listener = create_listener(&mut aws, &listener).unwrap()["Arn"]
        .as_str()
        .unwrap()
        .to_owned();
    (aws, blue, green, listener)
}

fn parameters(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

#[test]
fn target_health_is_answered_as_xml() {
    let (mut aws, blue, ..) = balanced();
    register(&mut aws, &blue, "10.0.0.1", 80).unwrap();
    let body = call(
        &mut aws,
        "DescribeTargetHealth",
        &parameters(&[("TargetGroupArn", &blue)]),
    )
    .unwrap();

    assert!(
        body.starts_with(
            "<DescribeTargetHealthResponse \
        xmlns=\"http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/\">\
        <DescribeTargetHealthResult><TargetHealthDescriptions><member>"
        ),
        "{body}"
    );
    assert!(
        body.contains("<State>initial</State><Reason>Elb.RegistrationInProgress</Reason>"),
        "{body}"
    );
}

#[test]
fn what_does_not_exist_is_refused_by_its_own_code() {
    let (mut aws, ..) = balanced();
    let code = |aws: &mut Aws, action: &str, name: &str| {
        call(aws, action, &parameters(&[(name, "arn:none")]))
            .unwrap_err()
            .code
    };

    assert_eq!(
        code(&mut aws, "DescribeTargetHealth", "TargetGroupArn"),
        "TargetGroupNotFound"
    );
    assert_eq!(
        code(&mut aws, "DescribeTargetGroups", "TargetGroupArns.member.1"),
        "TargetGroupNotFound"
    );
    assert_eq!(
        code(
            &mut aws,
            "DescribeLoadBalancers",
            "LoadBalancerArns.member.1"
        ),
        "LoadBalancerNotFound"
    );
    assert_eq!(
        code(&mut aws, "DescribeListeners", "ListenerArns.member.1"),
        "ListenerNotFound"
    );
    assert_eq!(
        code(&mut aws, "DescribeRules", "RuleArns.member.1"),
        "RuleNotFound"
    );
    assert_eq!(
        code(&mut aws, "DescribeRules", "ListenerArn"),
        "ListenerNotFound"
    );
}

#[test]
fn a_plain_forward_is_answered_with_its_forward_configuration() {
    let (mut aws, blue, _, listener) = balanced();
    let rule = json!({
        "ListenerArn": listener, "Priority": 10,
        "Conditions": [{"Field": "path-pattern", "Values": ["/a&b"]}],
        "Actions": [{"Type": "forward", "TargetGroupArn": blue}],
    });
    create_rule(&mut aws, &rule).unwrap();

    let body = call(
        &mut aws,
        "DescribeRules",
        &parameters(&[("ListenerArn", &listener)]),
    )
    .unwrap();
    assert!(
        body.contains(&format!(
            "<TargetGroups><member><TargetGroupArn>{blue}</TargetGroupArn>\
            <Weight>1</Weight></member></TargetGroups>"
        )),
        "{body}"
    );
    assert!(
        body.contains("/a&amp;b") && body.contains("<Priority>default</Priority>"),
        "{body}"
    );
}

#[test]
fn a_target_group_names_the_balancer_whose_listener_or_rule_uses_it() {
    let (mut aws, blue, green, listener) = balanced();
    let both = parameters(&[
        ("TargetGroupArns.member.1", &blue),
        ("TargetGroupArns.member.2", &green),
    ]);
    let used = |aws: &mut Aws| {
        let body = call(aws, "DescribeTargetGroups", &both).unwrap();
        body.matches("<LoadBalancerArns><member>").count()
    };
    assert_eq!(used(&mut aws), 1);

    let rule = json!({
        "ListenerArn": listener, "Priority": 10,
        "Conditions": [{"Field": "path-pattern", "Values": ["/admin"]}],
        "Actions": [{"Type": "forward", "TargetGroupArn": green}],
    });
    create_rule(&mut aws, &rule).unwrap();
    assert_eq!(used(&mut aws), 2);
}

#[test]
fn lists_are_paged() {
    let (mut aws, ..) = balanced();
    let first = call(
        &mut aws,
        "DescribeTargetGroups",
        &parameters(&[("PageSize", "1")]),
    )
    .unwrap();

    assert!(first.contains("<NextMarker>1</NextMarker>"), "{first}");

    let second = call(
        &mut aws,
        "DescribeTargetGroups",
        &parameters(&[("PageSize", "1"), ("Marker", "1")]),
    )
    .unwrap();
    assert!(!second.contains("NextMarker"), "{second}");
}

#[test]
fn forwards_are_checked() {
    let (mut aws, blue, green, listener) = balanced();
    let set = |aws: &mut Aws, group: &str, weight: i64| {
        let actions = json!({
            "DefaultActions": [
                {
                    "Type": "forward",
                    "ForwardConfig": {
                        "TargetGroups": [{"TargetGroupArn": group, "Weight": weight}],
                    },
                },
            ],
        });
        update_listener(aws, &listener, &actions).map_err(|error| error.code)
    };

    assert_eq!(
        set(&mut aws, "arn:none", 1),
        Err("TargetGroupNotFound".to_owned())
    );
    assert_eq!(
        set(&mut aws, &blue, 1000),
        Err("ValidationError".to_owned())
    );
    assert_eq!(set(&mut aws, &green, 999), Ok(()));
    assert_eq!(
        delete_target_group(&mut aws, &green).unwrap_err().code,
        "ResourceInUse"
    );
}

#[test]
fn a_rule_is_modified_by_whole_lists() {
    let (mut aws, blue, green, listener) = balanced();
    let rule = json!({
        "ListenerArn": listener, "Priority": 1, "Conditions": [],
        "Actions": [{"Type": "forward", "TargetGroupArn": blue}],
    });
    let arn = create_rule(&mut aws, &rule).unwrap()["Arn"]
        .as_str()
        .unwrap()
        .to_owned();
    let action = "Actions.member.1.";
    let groups = "Actions.member.1.ForwardConfig.TargetGroups.member.";
    let names = [
        format!("{action}Type"),
        format!("{groups}1.TargetGroupArn"),
        format!("{groups}1.Weight"),
        format!("{groups}2.TargetGroupArn"),
        format!("{groups}2.Weight"),
    ];
    let values = ["forward", &blue, "90", &green, "10"];
    let mut request: BTreeMap<String, String> =
        names.into_iter().zip(values.map(str::to_owned)).collect();
    request.insert("RuleArn".to_owned(), arn.clone());

    let body = call(&mut aws, "ModifyRule", &request).unwrap();
    assert!(
        body.contains(&format!(
            "<TargetGroupArn>{green}</TargetGroupArn><Weight>10</Weight>"
        )),
        "{body}"
    );
    assert!(aws.elb.target_groups[&green].used_since.is_some());

    request.insert("ResetTransforms".to_owned(), "true".to_owned());
    assert_eq!(
        call(&mut aws, "ModifyRule", &request).unwrap_err().code,
        "ValidationError"
    );
}

#[test]
fn targets_are_registered_with_the_port_of_the_group() {
    let (mut aws, blue, ..) = balanced();
    let request = parameters(&[
        ("TargetGroupArn", &blue),
        ("Targets.member.1.Id", "10.0.0.9"),
    ]);
    call(&mut aws, "RegisterTargets", &request).unwrap();

    assert_eq!(
        state(&aws, &blue, "10.0.0.9", 80),
        Some(TargetState::Initial)
    );

    call(&mut aws, "DeregisterTargets", &request).unwrap();
    assert_ne!(
        state(&aws, &blue, "10.0.0.9", 80),
        Some(TargetState::Initial)
    );
}

#[test]
fn tags_are_described_for_each_resource() {
    let (mut aws, blue, ..) = balanced();
    let body = call(
        &mut aws,
        "DescribeTags",
        &parameters(&[("ResourceArns.member.1", &blue)]),
    )
    .unwrap();

    assert!(
        body.contains(&format!("<ResourceArn>{blue}</ResourceArn><Tags></Tags>")),
        "{body}"
    );
}
