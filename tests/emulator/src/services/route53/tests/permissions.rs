use super::*;
use crate::iam::{Access, Demand, IamRequest, check_statement, evaluate};

const ZONE: &str = "arn:aws:route53:::hostedzone/Z1";

/// What a request needs to be allowed.
fn demand(method: &str, path: &str, changes: &str) -> Demand {
    let request = Request {
        method: method.to_owned(),
        path_and_query: format!("/2013-04-01/{path}"),
        body: batch(changes).into_bytes(),
        ..Request::default()
    };
    let (operation, input) = rest::operation_and_input(&request);
    let request = IamRequest {
        service: "route53".to_owned(),
        operation,
        input,
    };
    iam::demands(&mut Aws::new(1), &request).unwrap().remove(0)
}

fn change_demand(changes: &str) -> Demand {
    demand("POST", "hostedzone/Z1/rrset/", changes)
}

/// A statement about record sets of the zone, with a condition.
fn statement(condition: Value) -> Value {
    json!({
        "Effect": "Allow", "Action": "route53:ChangeResourceRecordSets", "Resource": ZONE,
        "Condition": condition,
    })
}

fn is_allowed(statement: &Value, demand: &Demand) -> bool {
    check_statement(statement).unwrap();
    evaluate([statement], demand).unwrap() == Access::Allowed
}

#[test]
fn operations_are_authorized_on_the_zone_or_the_change() {
    for (method, path, action, resource) in [
        (
            "POST",
            "hostedzone/Z1/rrset",
            "ChangeResourceRecordSets",
            ZONE,
        ),
        ("GET", "hostedzone/Z1/rrset", "ListResourceRecordSets", ZONE),
        ("GET", "hostedzone/Z1", "GetHostedZone", ZONE),
        (
            "GET",
            "change/C1",
            "GetChange",
            "arn:aws:route53:::change/C1",
        ),
    ] {
        let demand = demand(method, path, "");
        assert_eq!(
            (demand.action, demand.resource.as_str()),
            (format!("route53:{action}"), resource)
        );
    }
}

#[test]
fn every_change_of_a_batch_must_be_one_that_the_policy_names() {
    let statement = statement(json!({"ForAllValues:StringEquals": {
        "route53:ChangeResourceRecordSetsNormalizedRecordNames": ["shop.example.com"],
        "route53:ChangeResourceRecordSetsRecordTypes": ["CNAME"],
        "route53:ChangeResourceRecordSetsActions": ["UPSERT"],
    }}));
    let blue = weighted("UPSERT", "blue", 1, 60, "b").replace(NAME, "Shop.Example.com.");
    let green = weighted("UPSERT", "green", 1, 60, "g");
    assert!(is_allowed(
        &statement,
        &change_demand(&(blue.clone() + &green))
    ));

    for other in [
        simple("UPSERT", "www.example.com", "CNAME", "b"),
        simple("UPSERT", NAME, "A", "192.0.2.1"),
        simple("DELETE", NAME, "CNAME", "b"),
    ] {
        let batch = blue.clone() + &other;
        assert!(!is_allowed(&statement, &change_demand(&batch)), "{other}");
    }
}

#[test]
fn names_are_normalized_for_conditions() {
    let statement = statement(json!({"ForAnyValue:StringLike": {
        "route53:ChangeResourceRecordSetsNormalizedRecordNames": "\\052.example.com",
    }}));
    let wildcard = simple("UPSERT", "*.Example.com.", "A", "192.0.2.1");
    let other = simple("UPSERT", NAME, "A", "192.0.2.1");
    assert!(is_allowed(&statement, &change_demand(&(wildcard + &other))));
    assert!(!is_allowed(&statement, &change_demand(&other)));
}

#[test]
fn without_values_a_condition_about_all_holds_unless_null_is_excluded() {
    let all = json!({"route53:ChangeResourceRecordSetsActions": ["UPSERT"]});
    let demand = change_demand("");
    let only = statement(json!({ "ForAllValues:StringEquals": all }));
    assert!(is_allowed(&only, &demand));

    let there = json!({"route53:ChangeResourceRecordSetsActions": "false"});
    let with_null = statement(json!({"ForAllValues:StringEquals": all, "Null": there}));
    assert!(!is_allowed(&with_null, &demand));
    let upsert = simple("UPSERT", NAME, "A", "192.0.2.1");
    assert!(is_allowed(&with_null, &change_demand(&upsert)));
}

#[test]
fn keys_with_several_values_need_a_set_operator_and_others_exclude_it() {
    let refused = |condition: Value| check_statement(&statement(condition)).unwrap_err();
    let plain = json!({"StringEquals": {"route53:ChangeResourceRecordSetsActions": "UPSERT"}});
    assert!(refused(plain).0.contains("StringEquals of the key"));
    let of_one = json!({"ForAllValues:StringEquals": {"aws:PrincipalAccount": "111122223333"}});
    assert!(
        refused(of_one)
            .0
            .contains("ForAllValues:StringEquals of the key")
    );
}
