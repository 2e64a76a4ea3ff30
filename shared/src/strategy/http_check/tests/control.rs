//! Which version a check requests, and what proves that no other one responded.

use std::collections::BTreeMap;

use super::*;
use crate::observed::colour::Colour;

fn decided() -> HttpCheck {
    check(json!({
        "headers": {"x-colour": "blue", "x-more": "1"}, "decided_by": "x-colour",
        "body_contains": "shop", "max_latency_ms": 1000,
    }))
}

fn judged_with(control: Option<&Attempt>) -> Result<String, String> {
    decided().judge_with(control, &Ok(response(200, "shop:2")), str::to_owned)
}

#[test]
fn a_check_passes_only_if_the_request_of_no_version_is_refused() {
    for status in [403, 404] {
        let control = Ok(response(status, ""));
        let passed = Ok("status 200 in 120ms".to_owned());
        assert_eq!(judged_with(Some(&control)), passed);
    }

    let not_proven = |found: &str| -> Result<String, String> {
        Err(format!(
            "not proven which version responded: with x-colour \"neither\" found {found}; expected \
             status 403, 404"
        ))
    };
    for (control, found) in [
        (
            Ok(response(200, "shop:1")),
            "status 200 with body \"shop:1\"",
        ),
        (Ok(response(503, "")), "status 503 with body \"\""),
        (
            Err("connection refused".to_owned()),
            "no response (\"connection refused\")",
        ),
    ] {
        assert_eq!(judged_with(Some(&control)), not_proven(found));
    }
    let unread = "no response (\"not requested\")";
    assert_eq!(judged_with(None), not_proven(unread));
}

#[test]
fn a_response_that_fails_is_shown_before_what_proves_it() {
    let refused = Ok(response(403, ""));
    let failed = decided().judge_with(Some(&refused), &Ok(response(502, "")), str::to_owned);
    let expected = "found status 502 with body \"\"; expected status 200";
    assert_eq!(failed, Err(expected.to_owned()));
}

#[test]
fn the_request_of_no_version_differs_by_the_deciding_header_alone() {
    let own = decided();
    let control = own.control().expect("a header decides");
    assert_eq!(control.url, own.url);
    let headers = [("x-colour", "neither"), ("x-more", "1")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(control.headers, BTreeMap::from(headers));

    assert!(
        check(json!({"headers": {"x-colour": "blue"}}))
            .control()
            .is_none()
    );
}

#[test]
fn the_deciding_header_is_sent_and_its_refusal_does_not_pass() {
    let headers = json!({"x-colour": "blue"});
    assert_eq!(
        refused(json!({"headers": headers, "decided_by": "x-color"})),
        "`http_checks[1].decided_by` is `x-color`; expected the name of one of `headers`"
    );
    for status in [403, 404] {
        let decided = json!({
            "headers": headers, "decided_by": "x-colour", "status": [200, status],
        });
        assert_eq!(
            refused(decided),
            format!(
                "`http_checks[1].status` is `200, {status}`; expected no status of a refusal (403, \
                 404) with `decided_by`"
            )
        );
        let undecided = check(json!({"headers": headers, "status": status}));
        assert_eq!(undecided.validate("http_checks[1]"), Ok(()));
    }
    assert_eq!(decided().validate("http_checks[1]"), Ok(()));
}

#[test]
fn a_refusal_names_what_a_test_rule_takes() {
    let refusal = Ok(response(403, ""));
    let judged = decided().judge_with(Some(&refusal), &refusal, str::to_owned);
    let expected = "found status 403 with body \"\"; expected status 200; the test rule takes a \
                    request by x-colour and by its address, and may have left this one";
    assert_eq!(judged, Err(expected.to_owned()));

    let failing = Ok(response(503, ""));
    let judged = decided().judge_with(Some(&refusal), &failing, str::to_owned);
    let expected = "found status 503 with body \"\"; expected status 200";
    assert_eq!(judged, Err(expected.to_owned()));

    let undecided = check(json!({})).judge_with(None, &refusal, str::to_owned);
    let expected = "found status 403 with body \"\"; expected status 200";
    assert_eq!(undecided, Err(expected.to_owned()));
}

#[test]
fn each_colour_is_requested_at_its_own_load_balancer() {
    let both = check(json!({
        "url": "http://blue.example.com/up", "green_url": "http://green.example.com:8080/",
    }));
    assert_eq!(both.validate("http_checks[1]"), Ok(()));
    let [blue, green] = [Colour::Blue, Colour::Green].map(|colour| both.of_colour(colour));
    assert_eq!(blue.url, "http://blue.example.com/up");
    assert_eq!(green.url, "http://green.example.com:8080/");
    assert_eq!((blue.green_url, green.green_url), (None, None));

    let one = check(json!({}));
    assert_eq!(one.of_colour(Colour::Green).url, one.url);
}

#[test]
fn the_url_of_green_leads_elsewhere_than_that_of_blue() {
    for (url, host) in [
        ("http://shop.example.com:8443/green", "shop.example.com"),
        ("http://SHOP.example.com/", "SHOP.example.com"),
    ] {
        assert_eq!(
            refused(json!({ "green_url": url })),
            format!(
                "`http_checks[1].green_url` has the host `{host}` of `url`; expected that of \
                 green's own load balancer"
            )
        );
    }

    let inside = refused(json!({"green_url": "http://localhost/"}));
    let begins = "`http_checks[1].green_url` is `http://localhost/`; expected a host outside";
    assert!(inside.starts_with(begins), "{inside}");
}

#[test]
fn a_host_has_no_port() {
    for (url, host) in [
        ("https://shop.example.com", "shop.example.com"),
        ("http://shop.example.com:8080/a:b", "shop.example.com"),
        ("http://[2001:db8::1]:443/", "2001:db8::1"),
    ] {
        assert_eq!(CheckUrl::parse(url).map(|it| it.host()), Ok(host));
    }
}
