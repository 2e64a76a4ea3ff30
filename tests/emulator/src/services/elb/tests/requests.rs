//! Requests to the name of a load balancer, and what comes back.

use serde_json::Value;

use super::*;
use crate::{Request, Response};

fn requested(aws: &mut Aws, target: &str, headers: &[(&str, &str)]) -> Option<Response> {
    let balancer = aws.elb.load_balancers.values().next().unwrap();
    let headers = headers.iter();
    let request = Request {
        caller: "web".to_owned(),
        method: "GET".to_owned(),
        host: balancer.dns_name.clone(),
        path_and_query: target.to_owned(),
        headers: headers
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        body: Vec::new(),
    };
    respond(aws, &request)
}

/// Status and body of the response to a request of a path with these headers.
fn got(aws: &mut Aws, target: &str, headers: &[(&str, &str)]) -> (u16, String) {
    let response = requested(aws, target, headers).unwrap();
    (response.status, String::from_utf8(response.body).unwrap())
}

fn rule(aws: &mut Aws, listener: &str, priority: i64, conditions: Value, group: &str) {
    let rule = json!({
        "ListenerArn": listener, "Priority": priority, "Conditions": conditions,
        "Actions": [{"Type": "forward", "TargetGroupArn": group}],
    });
    create_rule(aws, &rule).unwrap();
}

/// A listener that forwards to `blue`, and to `green` what has a header or one of two paths; both
/// have a healthy target.
fn split() -> (Aws, String, String) {
    let (mut aws, blue, green, listener) = balanced();
    let header = json!([{"Field": "http-header", "HttpHeaderConfig": {
        "HttpHeaderName": "x-colour", "Values": ["green*"]}}]);
    rule(&mut aws, &listener, 20, header, &green);
    let path = json!([{"Field": "path-pattern", "Values": ["/G?", "/green/*"]}]);
    rule(&mut aws, &listener, 3, path, &green);

    register(&mut aws, &blue, "10.0.0.1", 80).unwrap();
    register(&mut aws, &green, "10.0.0.2", 80).unwrap();
    aws.now += 30_000;
    (aws, blue, green)
}

fn by_blue() -> (u16, String) {
    (200, "10.0.0.1:80".to_owned())
}

fn by_green() -> (u16, String) {
    (200, "10.0.0.2:80".to_owned())
}

#[test]
fn the_first_rule_whose_conditions_are_met_applies_else_the_default_action() {
    let (mut aws, ..) = split();
    assert_eq!(got(&mut aws, "/", &[]), by_blue());
    assert_eq!(got(&mut aws, "/", &[("x-colour", "blue")]), by_blue());
    assert_eq!(got(&mut aws, "/", &[("X-Colour", "GREENISH")]), by_green());

    for (path, expected) in [
        ("/G1?a=/green/", by_green()),
        ("/green/a/b", by_green()),
        ("/g1", by_blue()),
        ("/GG1", by_blue()),
        ("/a?b=/green/", by_blue()),
    ] {
        assert_eq!(got(&mut aws, path, &[]), expected, "{path}");
    }
}

#[test]
fn a_rule_with_a_lower_number_comes_first_and_needs_all_its_conditions() {
    let (mut aws, blue, _) = split();
    let listener = aws.elb.listeners.keys().next().unwrap().clone();
    let both = json!([
        {"Field": "path-pattern", "PathPatternConfig": {"Values": ["/green/*"]}},
        {"Field": "host-header", "HostHeaderConfig": {"Values": ["*.example.com"]}},
    ]);
    rule(&mut aws, &listener, 2, both, &blue);

    assert_eq!(got(&mut aws, "/green/a", &[]), by_green());
    let host = [("host", "Shop.Example.com")];
    assert_eq!(got(&mut aws, "/green/a", &host), by_blue());
}

#[test]
fn a_request_from_an_address_that_no_condition_lists_is_left_to_the_rules_after_it() {
    let (mut aws, _, green) = split();
    let listener = aws.elb.listeners.keys().next().unwrap().clone();
    let tested = json!([
        {"Field": "http-header", "HttpHeaderConfig": {
            "HttpHeaderName": "x-test", "Values": ["green"]}},
        {"Field": "source-ip", "SourceIpConfig": {"Values": ["10.0.0.0/8"]}},
    ]);
    rule(&mut aws, &listener, 1, tested, &green);

    let test = [("x-test", "green")];
    assert_eq!(got(&mut aws, "/", &test), by_green());
    aws.elb.sources_unlisted = true;
    assert_eq!(got(&mut aws, "/", &test), by_blue());

    let refusal = json!({
        "ListenerArn": listener, "Priority": 900,
        "Conditions": [{"Field": "http-header", "HttpHeaderConfig": {
            "HttpHeaderName": "x-test", "Values": ["*"]}}],
        "Actions": [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "403"}}],
    });
    create_rule(&mut aws, &refusal).unwrap();
    assert_eq!(got(&mut aws, "/", &test).0, 403);
    assert_eq!(got(&mut aws, "/", &[]), by_blue());
    aws.elb.sources_unlisted = false;
    assert_eq!(got(&mut aws, "/", &test), by_green());
    assert_eq!(got(&mut aws, "/", &[("x-test", "neither")]).0, 403);
}

#[test]
fn a_group_without_a_target_is_unavailable_and_a_target_that_refuses_a_bad_gateway() {
    let (mut aws, blue, ..) = balanced();
    let status = |aws: &mut Aws| got(aws, "/", &[]).0;
    assert_eq!(status(&mut aws), 503);

    register(&mut aws, &blue, "10.0.0.1", 80).unwrap();
    assert_eq!(status(&mut aws), 200, "the only target is tried");
    aws.now += 30_000;
    set_answering(&mut aws, &blue, "10.0.0.1", 80, false);
    assert_eq!(status(&mut aws), 502, "no check has noticed yet");
    aws.now += 60_000;
    assert_eq!(status(&mut aws), 502, "the only target is tried");

    register(&mut aws, &blue, "10.0.0.2", 80).unwrap();
    aws.now += 30_000;
    let healthy = (200, "10.0.0.2:80".to_owned());
    for _ in 0..20 {
        assert_eq!(got(&mut aws, "/", &[]), healthy);
    }
}

#[test]
fn a_fixed_response_has_its_status_and_no_other_host_is_answered() {
    let (mut aws, _, _, listener) = balanced();
    let properties = json!({
        "LoadBalancerArn": aws.elb.listeners[&listener].load_balancer_arn, "Port": 8080,
        "Protocol": "HTTP", "DefaultActions": [{"Type": "fixed-response", "FixedResponseConfig": {
            "StatusCode": "404", "ContentType": "text/plain", "MessageBody": "nothing here"}}],
    });
    create_listener(&mut aws, &properties).unwrap();
    let balancer = aws.elb.load_balancers.values().next().unwrap();
    let mut request = Request {
        host: format!("{}:8080", balancer.dns_name),
        path_and_query: "/".to_owned(),
        ..Request::default()
    };
    let response = respond(&mut aws, &request).unwrap();
    assert_eq!(
        (response.status, response.body),
        (404, b"nothing here".to_vec())
    );

    request.host = "ecs.eu-west-1.amazonaws.com".to_owned();
    assert!(respond(&mut aws, &request).is_none());
}
