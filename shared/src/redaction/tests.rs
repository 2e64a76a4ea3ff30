//! What is masked in texts, and what stays.

use super::*;

fn without(text: &str, values: &[&str], names: &[&str]) -> String {
    without_values(text, std::iter::empty(), values.iter().copied(), names)
}

#[test]
fn an_address_keeps_its_path_and_loses_query_and_credentials() {
    let reason = "CannotPullContainerError: Get \"https://prod-eu-west-1-starport-layer-bucket\
                  .s3.eu-west-1.amazonaws.com/1a2b/3c4d?X-Amz-Security-Token=T&\
                  X-Amz-Signature=0a0a\": dial tcp 10.0.3.17:443: i/o timeout";
    assert_eq!(
        without_signatures(reason),
        "CannotPullContainerError: Get \"https://prod-eu-west-1-starport-layer-bucket\
         .s3.eu-west-1.amazonaws.com/1a2b/3c4d?***\": dial tcp 10.0.3.17:443: i/o timeout"
    );

    for (text, kept) in [
        (
            "GET http://a/b?c=d failed, see https://e/f",
            "GET http://a/b?*** failed, see https://e/f",
        ),
        ("(https://user:word@host/path)", "(https://***@host/path)"),
        ("cut at https://a/b?X-Amz-Sig", "cut at https://a/b?***"),
        (
            "postgres://app:pa/ss?w@db:5432/x",
            "postgres://***@db:5432/x",
        ),
        ("https://me:1234?5@host/x", "https://***@host/x"),
        (
            "https://me:12/34@example.com/x",
            "https://***@example.com/x",
        ),
        ("https://to/ken@example.com/x", "https://***@example.com/x"),
        (
            "https://me:p@s/s@example.com/x",
            "https://***@example.com/x",
        ),
        (
            "https://host:8080/lib@1.2.3/x",
            "https://host:8080/lib@1.2.3/x",
        ),
        (
            "https://example.com/of/me@example.com",
            "https://example.com/of/me@example.com",
        ),
        (
            "oci://registry:5000/web@sha256:0a",
            "oci://registry:5000/web@sha256:0a",
        ),
        ("http://host:8080?to=me", "http://host:8080?***"),
        ("really? yes", "really? yes"),
        ("", ""),
    ] {
        assert_eq!(without_signatures(text), kept);
    }
}

#[test]
fn values_of_6_characters_are_masked_everywhere_and_those_of_5_are_kept() {
    let text = "abcde1, vwxyz and x-abcde1y";
    assert_eq!(
        without(text, &["vwxyz", "abcde1", ""], &[]),
        "***, vwxyz and x-***y"
    );
    assert_eq!(without("ab12cd34", &["ab12cd", "ab12cd34"], &[]), "***");
}

#[test]
fn names_and_words_of_ecs_are_kept() {
    let text = "At least one of 'memory' or 'memoryReservation' must be specified for backend";
    assert_eq!(without(text, &["memory", "backend"], &["backend"]), text);
    assert_eq!(
        without("hunter, hunters and hunter", &["hunter"], &[]),
        "***, hunters and ***"
    );

    let text = "the deployment circuit breaker is enabled; task failed target health checks";
    assert_eq!(without(text, &["enabled", "health", "circuit"], &[]), text);

    let text = "DATABASE_URL is not set for web-1";
    assert_eq!(
        without(text, &["DATABASE", "web-1x"], &["DATABASE_URL"]),
        text
    );
    assert_eq!(
        without(text, &["DATABASE"], &[]),
        "***_URL is not set for web-1"
    );
}

#[test]
fn a_value_is_kept_as_whole_parts_of_a_name_only() {
    let name = "1.dkr.ecr.eu-west-1.amazonaws.com/example/hunter:stable@sha256:0a";
    for part in [
        "example",
        "example/hunter",
        "hunter",
        "stable",
        "amazonaws.com",
    ] {
        assert_eq!(without(part, &[part], &[name]), part);
    }
    for piece in [
        "xample",
        "example/hunt",
        "hunter:sta",
        "256:0a",
        "zonaws.com",
    ] {
        assert_eq!(without(piece, &[piece], &[name]), MASK, "{piece}");
    }
    assert_eq!(without("backend", &["backend"], &["backend"]), "backend");
}

#[test]
fn a_known_secret_is_masked_although_it_is_a_name() {
    let secret = ["backend"];
    let text = without_values(
        "backend failed",
        secret.into_iter(),
        std::iter::empty(),
        &["backend"],
    );
    assert_eq!(text, "*** failed");
}

#[test]
fn regions_are_kept_and_what_looks_like_one_is_not() {
    for region in [
        "eu-west-1",
        "ap-southeast-2",
        "us-gov-west-1",
        "eusc-de-east-1",
        "mx-central-1",
    ] {
        assert_eq!(without(region, &[region], &[]), region);
    }
    for secret in [
        "my-secret-1",
        "eu-west-12",
        "eu-west-x",
        "database-west-1",
        "a1b2-west-1",
        "eu-west",
    ] {
        assert_eq!(without(secret, &[secret], &[]), MASK, "{secret}");
    }
}

#[test]
fn a_secret_is_masked_as_json_and_go_write_it_too() {
    let secret = "a\"b\\c<d&e>\n";
    for written in [
        secret,
        r#"a\"b\\c<d&e>\n"#,
        r#"a\"b\\c\u003cd\u0026e\u003e\n"#,
    ] {
        assert_eq!(without(&format!("[{written}]"), &[secret], &[]), "[***]");
    }
}

#[test]
fn a_bracket_or_an_apostrophe_ends_an_address_only_at_its_end() {
    for (text, kept) in [
        (
            "GET https://a/b?filter=(x)&X-Amz-Signature=0a: timeout",
            "GET https://a/b?***: timeout",
        ),
        (
            "postgres://app:pa)s's]word@db.example:5432/x.",
            "postgres://***@db.example:5432/x.",
        ),
        ("('https://a/b?c=d', 1)", "('https://a/b?***', 1)"),
        (
            "[a](https://a.example/b)(https://me:word@example.com/c)",
            "[a](https://a.example/b)(https://***@example.com/c)",
        ),
    ] {
        assert_eq!(without_signatures(text), kept);
    }
}
