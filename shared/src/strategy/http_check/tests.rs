use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::limits::{CHECK_BODY_BYTES, CHECK_KEPT_CHARS, CHECK_TEXT_CHARS};

mod control;

fn check(more: Value) -> HttpCheck {
    let mut all = json!({"name": "health", "url": "https://shop.example.com/health"});
    let members = more.as_object().expect("an object").clone();
    all.as_object_mut().expect("an object").extend(members);
    serde_json::from_value(all).expect("a check")
}

fn refused(more: Value) -> String {
    check(more).validate("http_checks[1]").expect_err("refused")
}

fn response(status: u16, body: &str) -> CheckResponse {
    CheckResponse {
        status,
        headers: vec![
            ("server".to_owned(), "app/2".to_owned()),
            ("cache-control".to_owned(), "no-store".to_owned()),
        ],
        body: body.as_bytes().to_vec(),
        latency: Duration::from_millis(120),
    }
}

fn judged(more: Value, response: CheckResponse) -> Result<String, String> {
    check(more).judge(&Ok(response), |text| text.replace("hunter22", "***"))
}

#[test]
fn a_url_has_a_scheme_a_host_outside_the_function_and_a_path() {
    for (url, origin, target) in [
        ("https://shop.example.com", "https://shop.example.com", "/"),
        (
            "http://lb-1.eu.elb.amazonaws.com:8080/a?b=1&c=%20",
            "http://lb-1.eu.elb.amazonaws.com:8080",
            "/a?b=1&c=%20",
        ),
        ("http://10.0.1.2/health", "http://10.0.1.2", "/health"),
        ("http://[2001:db8::1]:443/", "http://[2001:db8::1]:443", "/"),
        (
            "https://localhost.example.com/",
            "https://localhost.example.com",
            "/",
        ),
    ] {
        assert_eq!(CheckUrl::parse(url), Ok(CheckUrl { origin, target }));
    }

    for url in [
        "ftp://shop.example.com/",
        "shop.example.com",
        "https:///health",
        "http://user:pw@shop/",
        "http://shop:0/",
        "http://shop:+80/",
        "http://shop:99999/",
        "http://shop:/",
        "http://shop..com/",
        "http://shop.com./",
        "http://shop/a b",
        "http://shop/#a",
        "http://shop?a",
        "http://127.1/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0251.0376.0251.0376/",
        "http://[fe80::1%25eth0]/",
        "http://[::1/",
        "http://ä/",
    ] {
        let expected = CheckUrl::parse(url).expect_err(url);
        assert!(
            expected.starts_with("`https://` or `http://`, the name"),
            "{url}"
        );
    }
}

#[test]
fn addresses_of_the_function_itself_and_of_metadata_are_refused_with_the_reason() {
    for url in [
        "http://localhost:9001/2018-06-01/runtime/invocation/next",
        "http://LOCALHOST/",
        "http://a.localhost/",
        "http://127.0.0.1/",
        "http://127.9.9.9/",
        "http://0.0.0.0/",
        "http://169.254.169.254/latest/meta-data/",
        "http://169.254.170.2/v2/credentials",
        "http://[::1]/",
        "http://[::]/",
        "http://[fe80::1]/",
        "http://[fd00:ec2::254]/",
        "http://[fd00:ec2::23]/v1/credentials",
        "http://[::ffff:169.254.169.254]/",
    ] {
        let message = refused(json!({ "url": url }));
        assert_eq!(
            message,
            format!(
                "`http_checks[1].url` is `{url}`; expected a host outside the function: at \
                 loopback and link-local addresses are Lambda's own API and AWS's metadata, which \
                 can have credentials"
            )
        );
    }
}

#[test]
fn a_url_that_is_refused_is_shown_without_its_secrets() {
    let message = refused(json!({"url": "https://jane:hunter22@shop.example.com/?token=hunter23"}));
    assert!(!message.contains("hunter2"), "{message}");
    assert!(message.contains("shop.example.com"), "{message}");
}

/// Each of these parameters is refused with the beginning of a message.
fn are_refused<const N: usize>(cases: [(Value, &str); N]) {
    for (more, expected) in cases {
        let message = refused(more);
        let expected = format!("`http_checks[1].{expected}");
        assert!(message.starts_with(&expected), "{message}");
    }
}

#[test]
fn names_and_headers_that_cannot_work_are_refused_by_name() {
    let header = |name: &str, value: &str| json!({"headers": {name: value}});
    are_refused([
        (
            json!({"name": "Health"}),
            "name` is `Health`; expected 1 to 32 small letters",
        ),
        (
            json!({"name": ""}),
            "name` is ``; expected 1 to 32 small letters",
        ),
        (
            header("a b", "c"),
            "headers` has the name `a b`; expected letters",
        ),
        (
            header("Host", "a.example"),
            "headers` has `Host`; expected with http only",
        ),
        (
            header("x", ""),
            "headers.x` is empty or has other characters; expected visible",
        ),
        (
            header("x", "a\r\nb: c"),
            "headers.x` is empty or has other characters; expected",
        ),
    ]);
}

#[test]
fn no_header_is_set_that_the_connection_sets() {
    for name in [
        "connection",
        "Content-Length",
        "Transfer-Encoding",
        "UPGRADE",
    ] {
        let message = refused(json!({"headers": {name: "1"}}));
        let expected = format!("`http_checks[1].headers` has the name `{name}`; expected letters");
        assert!(message.starts_with(&expected), "{message}");
    }
}

#[test]
fn expectations_and_attempts_that_cannot_work_are_refused_by_name() {
    let unnamed = json!({"response_header": {"name": "", "value": "a"}});
    are_refused([
        (json!({"status": []}), "status` is ``; expected 200 to 599"),
        (
            json!({"status": [200, 99]}),
            "status` is `200, 99`; expected 200 to 599",
        ),
        (
            json!({"status": 600}),
            "status` is `600`; expected 200 to 599",
        ),
        (
            json!({"body_contains": ""}),
            "body_contains` is empty; expected a text",
        ),
        (unnamed, "response_header.name` is ``; expected letters"),
        (
            json!({"max_latency_ms": 0}),
            "max_latency_ms` is 0; expected 1 to 10000",
        ),
        (json!({"attempts": 21}), "attempts` is 21; expected 1 to 20"),
        (
            json!({"attempts": 3, "required": 4}),
            "required` is 4; expected 1 to 3",
        ),
        (json!({"required": 2}), "required` is 2; expected 1 to 1"),
    ]);
}

#[test]
fn all_that_a_check_can_expect_is_valid() {
    let valid = check(json!({
        "headers": {"x-slipway-colour": "green"}, "status": [200, 204], "body_contains": "ok",
        "response_header": {"name": "Server", "value": "app/2"}, "max_latency_ms": 10_000,
        "attempts": 20, "required": 20,
    }));
    assert_eq!(valid.validate("http_checks[0]"), Ok(()));
}

#[test]
fn a_host_is_sent_by_http_and_unknown_fields_and_words_are_refused() {
    let by_http = json!({"url": "http://10.0.0.1/", "headers": {"Host": "a.example"}});
    assert_eq!(check(by_http).validate("http_checks[0]"), Ok(()));

    let unknown = json!({"name": "a", "url": "b", "stauts": 200});
    let unknown = serde_json::from_value::<HttpCheck>(unknown).expect_err("an unknown field");
    assert!(
        unknown.to_string().starts_with("unknown field `stauts`"),
        "{unknown}"
    );
    let word = json!({"name": "a", "url": "b", "status": "ok"});
    let word = serde_json::from_value::<HttpCheck>(word).expect_err("not a status");
    assert!(
        word.to_string()
            .starts_with("expected a status of HTTP, or a list"),
        "{word}"
    );
}

#[test]
fn a_response_passes_if_all_is_as_expected() {
    let passes = Ok("status 200 in 120ms".to_owned());
    for more in [
        json!({}),
        json!({"status": 200}),
        json!({"status": [404, 200]}),
        json!({"body_contains": "fine"}),
        json!({"response_header": {"name": "Cache-Control", "value": "no-store"}}),
        json!({"max_latency_ms": 120}),
    ] {
        assert_eq!(
            judged(more.clone(), response(200, "all fine")),
            passes,
            "{more}"
        );
    }
    let moved = judged(json!({"status": 301}), response(301, ""));
    assert_eq!(
        moved.as_deref(),
        Ok("status 301 in 120ms"),
        "a redirect is not followed"
    );
}

#[test]
fn the_first_expectation_that_is_not_met_is_reported_with_what_was_found() {
    for (more, expected) in [
        (
            json!({"status": [201, 204], "body_contains": "ready"}),
            "found status 200 with body \"all fine\"; expected status 201, 204",
        ),
        (
            json!({"body_contains": "ready"}),
            "found body \"all fine\"; expected \"ready\"",
        ),
        (
            json!({"response_header": {"name": "Server", "value": "app/3"}}),
            "found header Server \"app/2\"; expected \"app/3\"",
        ),
        (
            json!({"response_header": {"name": "x-version", "value": "3"}}),
            "found header x-version \"\"; expected \"3\"",
        ),
        (
            json!({"max_latency_ms": 119}),
            "found 120ms; expected at most 119ms",
        ),
    ] {
        assert_eq!(
            judged(more, response(200, "all fine")),
            Err(expected.to_owned())
        );
    }

    let silent = Err("connection refused".to_owned());
    let found = check(json!({})).judge(&silent, str::to_owned);
    let expected = "found no response (\"connection refused\"); expected status 200";
    assert_eq!(found, Err(expected.to_owned()));
}

#[test]
fn a_text_of_others_is_shown_cut_without_secrets_and_without_control_characters() {
    let hostile = format!(
        "\u{1b}[2J\r\nOK health: \"fine\" hunter22 {}",
        "x".repeat(200_000)
    );
    let found = judged(json!({}), response(500, &hostile)).expect_err("a wrong status");

    let begins = "found status 500 with body \"\\u{1b}[2J\\r\\nOK health: \\\"fine\\\" *** xxx";
    assert!(found.starts_with(begins), "{found}");
    assert!(found.ends_with("x…\"; expected status 200"), "{found}");
    let texts = "found status 500 with body ; expected status 200"
        .chars()
        .count();
    assert_eq!(found.chars().count(), texts + 2 + CHECK_TEXT_CHARS);

    let bytes = CheckResponse {
        body: vec![0xff; CHECK_BODY_BYTES],
        ..response(200, "")
    };
    let found = judged(json!({"body_contains": "ok"}), bytes).expect_err("not in it");
    assert!(
        found.ends_with("; expected \"ok\" in its first 64 KiB"),
        "{found}"
    );
}

fn progress(passed: u32, failed: u32) -> CheckProgress {
    CheckProgress {
        passed,
        failed,
        last: "status 200 in 9ms".to_owned(),
    }
}

#[test]
fn attempts_decide_as_soon_as_no_other_can_change_the_result() {
    let state = |attempts: u32, required: u32, passed, failed| {
        let check = check(json!({"attempts": attempts, "required": required}));
        check.state(&progress(passed, failed))
    };
    assert_eq!(check(json!({})).state(&progress(0, 0)), CheckState::Open);
    assert_eq!(check(json!({})).state(&progress(1, 0)), CheckState::Ok);
    assert_eq!(check(json!({})).state(&progress(0, 1)), CheckState::Ng);

    assert_eq!(state(3, 1, 0, 2), CheckState::Open);
    assert_eq!(state(3, 1, 1, 2), CheckState::Ok);
    assert_eq!(state(3, 1, 0, 3), CheckState::Ng);
    assert_eq!(state(5, 3, 2, 2), CheckState::Open);
    assert_eq!(state(5, 3, 2, 3), CheckState::Ng);
    assert_eq!(state(5, 3, 3, 1), CheckState::Ok);

    let three = check(json!({"attempts": 3}));
    assert_eq!(three.left(&progress(0, 1)), (2, 3));
    assert_eq!(three.left(&progress(1, 0)), (0, 3));
}

#[test]
fn a_result_is_one_line_and_skip_if_it_was_not_decided() {
    let one = check(json!({}));
    assert_eq!(
        one.line(&progress(1, 0), true),
        "OK health: status 200 in 9ms"
    );
    assert_eq!(
        one.line(&progress(0, 1), false),
        "NG health: status 200 in 9ms"
    );

    let three = check(json!({"attempts": 3, "required": 2}));
    let counted = "health: status 200 in 9ms; 1 of 2 attempts passed, 2 of 3 required";
    assert_eq!(three.line(&progress(1, 1), false), counted);
    let skipped = "SKIP health: not decided after 2 of 3 attempts, because another result is NG";
    assert_eq!(three.line(&progress(1, 1), true), skipped);
}

#[test]
fn what_a_job_leaves_to_the_next_is_short() {
    let known = CheckProgress::default().after(Err("x".repeat(500)));
    let known = known
        .after(Ok("fine".to_owned()))
        .after(Err("y".repeat(500)));
    assert_eq!((known.passed, known.failed, known.last.len()), (1, 2, 500));

    let kept = known.kept();
    assert_eq!((kept.passed, kept.failed), (1, 2));
    assert_eq!(kept.last.chars().count(), CHECK_KEPT_CHARS);
}
