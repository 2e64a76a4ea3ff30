//! The requests of HTTP checks: unsigned, once each, and with bounds for what comes back.

use std::time::Duration;

use serde_json::{Value, json};

use super::script::{Answer, Script, response, run};
use crate::aws::HttpChecks;
use crate::limits::{CHECK_BODY_BYTES, CHECK_CONNECT, CHECK_HEADER_BYTES, CHECK_TOTAL};
use crate::strategy::http_check::{Attempt, CheckResponse, HttpCheck};

fn check(more: Value) -> HttpCheck {
    let mut all = json!({"name": "health", "url": "https://shop.example.com:8443/health?deep=1"});
    let members = more.as_object().expect("an object").clone();
    all.as_object_mut().expect("an object").extend(members);
    serde_json::from_value(all).expect("a check")
}

fn attempts(script: &Script, checks: &[HttpCheck]) -> Vec<Attempt> {
    let checks: Vec<&HttpCheck> = checks.iter().collect();
    run(HttpChecks::new(&script.sdk()).attempts(&checks))
}

fn attempt(answer: Answer) -> (Attempt, Script) {
    let script = Script::new([answer]);
    let attempt = attempts(&script, &[check(json!({}))]).remove(0);
    (attempt, script)
}

#[test]
fn a_check_requests_its_url_with_its_headers_and_without_a_signature() {
    let script = Script::new([response(200, "text/plain", "all fine")]);
    let check = check(json!({"headers": {"x-slipway-colour": "green", "Accept": "text/plain"}}));
    let attempts = attempts(&script, &[check]);

    let sent = script.only();
    let url = "https://shop.example.com:8443/health?deep=1";
    assert_eq!((sent.method.as_str(), sent.uri.as_str()), ("GET", url));
    assert_eq!(sent.header("x-slipway-colour"), Some("green"));
    assert_eq!(sent.header("accept"), Some("text/plain"));
    assert_eq!(sent.text(), "");
    for absent in ["authorization", "x-amz-date", "x-amz-security-token"] {
        assert_eq!(sent.header(absent), None, "{absent}");
    }

    let expected = CheckResponse {
        status: 200,
        headers: vec![("content-type".to_owned(), "text/plain".to_owned())],
        body: b"all fine".to_vec(),
        latency: Duration::ZERO,
    };
    assert_eq!(attempts, [Ok(expected)]);
}

#[test]
fn whatever_status_comes_is_a_response_and_nothing_is_requested_again() {
    for status in [301, 404, 503] {
        let (attempt, script) = attempt(response(status, "text/html", "<html>"));
        assert_eq!(attempt.expect("a response").status, status);
        assert_eq!(script.sent().len(), 1);
    }
}

#[test]
fn no_more_of_a_body_is_read_than_a_check_is_about() {
    let body = vec![b'x'; CHECK_BODY_BYTES + 1];
    let (attempt, _) = attempt(response(200, "text/plain", body));
    assert_eq!(attempt.expect("a response").body.len(), CHECK_BODY_BYTES);
}

#[test]
fn headers_beyond_their_bound_are_no_response() {
    let (attempt, _) = attempt(Answer::Response {
        status: 200,
        headers: vec![("x-pad", "x".repeat(CHECK_HEADER_BYTES))],
        body: Vec::new(),
    });
    let expected = "its headers have 32773 bytes, and 32768 are accepted";
    assert_eq!(attempt, Err(expected.to_owned()));
}

#[test]
fn an_attempt_without_a_whole_response_states_why() {
    let (refused, script) = attempt(Answer::Refused);
    assert_eq!(refused, Err("connection refused".to_owned()));
    assert_eq!(script.sent().len(), 1);

    let (silent, script) = attempt(Answer::Silence);
    assert_eq!(silent, Err("not complete within 10s".to_owned()));
    assert!(script.waits().contains(&CHECK_TOTAL));

    let (broken, _) = attempt(Answer::Broken(200));
    broken.expect_err("a body that cannot be read");
}

#[test]
fn an_attempt_waits_no_longer_than_3_seconds_for_a_connection() {
    let (_, script) = attempt(response(200, "text/plain", ""));
    assert_eq!(CHECK_CONNECT, Duration::from_secs(3));
    assert!(script.waits().contains(&CHECK_CONNECT));
}

#[test]
fn the_attempts_of_all_checks_are_made_at_once_and_come_back_in_order() {
    let script = Script::new([Answer::Silence, response(204, "", "")]);
    let other = check(json!({"url": "http://10.0.0.1/"}));
    let attempts = attempts(&script, &[check(json!({})), other]);

    assert_eq!(script.sent()[1].uri, "http://10.0.0.1/");
    assert_eq!(attempts[0], Err("not complete within 10s".to_owned()));
    assert_eq!(attempts[1].as_ref().map(|found| found.status), Ok(204));
}
