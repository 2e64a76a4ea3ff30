//! The rules of Route 53, each by its own test, over HTTP as the SDKs call it.

mod batches;
mod clients;
mod lists;
mod permissions;
mod queries;

use serde_json::json;

use super::*;
use crate::elb::{self, LoadBalancer};
use crate::{Quirk, Request, Response};

const NAME: &str = "shop.example.com";

/// An account with the zone `example.com`.
fn world() -> (Aws, String) {
    let mut aws = Aws::new(1);
    let zone = create_zone(&mut aws, "example.com", None);
    (aws, zone)
}

/// The response to a request with a body in XML: status and document.
fn send(aws: &mut Aws, method: &str, path: &str, body: &str) -> (u16, String) {
    let request = Request {
        caller: "operator".to_owned(),
        method: method.to_owned(),
        path_and_query: format!("/2013-04-01/{path}"),
        headers: vec![(
            "authorization".to_owned(),
            "AWS4-HMAC-SHA256 Credential=A/20260105/us-east-1/route53/aws4_request, x".to_owned(),
        )],
        body: body.as_bytes().to_vec(),
        ..Request::default()
    };
    let Response { status, body, .. } = aws.call(&request);
    (status, String::from_utf8(body).unwrap())
}

/// A batch of changes, as the SDKs write it.
fn batch(changes: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
         <ChangeResourceRecordSetsRequest xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\">\
         <ChangeBatch><Comment>a &amp; b</Comment><Changes>{changes}</Changes></ChangeBatch>\
         </ChangeResourceRecordSetsRequest>"
    )
}

fn change_of(action: &str, record: &str) -> String {
    format!(
        "<Change><Action>{action}</Action><ResourceRecordSet>{record}</ResourceRecordSet></Change>"
    )
}

/// A weighted CNAME.
fn weighted(action: &str, id: &str, weight: i64, ttl: i64, value: &str) -> String {
    change_of(
        action,
        &format!(
            "<Name>{NAME}</Name><Type>CNAME</Type><SetIdentifier>{id}</SetIdentifier>\
             <Weight>{weight}</Weight><TTL>{ttl}</TTL><ResourceRecords><ResourceRecord>\
             <Value>{value}</Value></ResourceRecord></ResourceRecords>"
        ),
    )
}

/// A simple record set with one value.
fn simple(action: &str, name: &str, kind: &str, value: &str) -> String {
    change_of(
        action,
        &format!(
            "<Name>{name}</Name><Type>{kind}</Type><TTL>60</TTL><ResourceRecords>\
             <ResourceRecord><Value>{value}</Value></ResourceRecord></ResourceRecords>"
        ),
    )
}

/// A weighted alias of a balancer.
fn weighted_alias(action: &str, id: &str, weight: i64, target: &str, evaluates: bool) -> String {
    change_of(
        action,
        &format!(
            "<Name>{NAME}</Name><Type>A</Type><SetIdentifier>{id}</SetIdentifier>\
             <Weight>{weight}</Weight><AliasTarget><HostedZoneId>{}</HostedZoneId>\
             <DNSName>{target}</DNSName><EvaluateTargetHealth>{evaluates}</EvaluateTargetHealth>\
             </AliasTarget>",
            elb::hosted_zone("eu-west-1")
        ),
    )
}

/// Sends changes when no other request is in process.
fn change(aws: &mut Aws, zone: &str, changes: &[impl AsRef<str>]) -> (u16, String) {
    aws.now += 10_000;
    let path = format!("hostedzone/{zone}/rrset/");
    let changes: String = changes.iter().map(|change| change.as_ref()).collect();
    send(aws, "POST", &path, &batch(&changes))
}

/// The message with which changes are refused, and its code.
fn refusal(aws: &mut Aws, zone: &str, changes: &[impl AsRef<str>]) -> (String, String) {
    let before = aws.route53.zone(zone).unwrap().records.clone();
    let (status, body) = change(aws, zone, changes);
    assert_eq!(status, 400, "{body}");
    assert_eq!(
        aws.route53.zone(zone).unwrap().records,
        before,
        "nothing of a refused batch is made"
    );
    (element(&body, "Code"), element(&body, "Message"))
}

/// The text of the first element of that name.
fn element(body: &str, name: &str) -> String {
    let (_, rest) = body.split_once(&format!("<{name}>")).expect(name);
    let (text, _) = rest.split_once(&format!("</{name}>")).expect(name);
    text.replace("&apos;", "'")
}

/// A balancer with a listener and a target group, with a healthy target if it should have one.
fn balancer(aws: &mut Aws, name: &str, is_healthy: bool) -> LoadBalancer {
    let group = json!({
        "Name": name, "TargetType": "ip", "Port": 80, "HealthCheckIntervalSeconds": 10,
        "HealthyThresholdCount": 2, "UnhealthyThresholdCount": 2,
    });
    let group = elb::create_target_group(aws, &group).unwrap()["Arn"].clone();
    let balancer = elb::create_load_balancer(aws, &json!({ "Name": name })).unwrap();
    let listener = json!({
        "LoadBalancerArn": balancer["Arn"], "Port": 80, "Protocol": "HTTP",
        "DefaultActions": [{"Type": "forward", "TargetGroupArn": group}],
    });
    elb::create_listener(aws, &listener).unwrap();
    if is_healthy {
        elb::register(aws, group.as_str().unwrap(), name, 80).unwrap();
        aws.now += 60_000;
        aws.run_due();
    }
    aws.elb.load_balancers[balancer["Arn"].as_str().unwrap()].clone()
}
