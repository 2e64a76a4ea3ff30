//! What is masked in texts, and what stays.

mod texts;

use super::*;

fn without(text: &str, values: &[&str], names: &[&str]) -> String {
    without_values(text, std::iter::empty(), values.iter().copied(), names)
}

#[test]
fn a_signed_address_in_a_reason_loses_its_signature() {
    let reason = "CannotPullContainerError: Get \"https://prod-eu-west-1-starport-layer-bucket\
                  .s3.eu-west-1.amazonaws.com/1a2b/3c4d?X-Amz-Security-Token=T&\
                  X-Amz-Signature=0a0a\": dial tcp 10.0.3.17:443: i/o timeout";
    assert_eq!(
        without_signatures(reason),
        "CannotPullContainerError: Get \"https://prod-eu-west-1-starport-layer-bucket\
         .s3.eu-west-1.amazonaws.com/1a2b/3c4d?***\": dial tcp 10.0.3.17:443: i/o timeout"
    );
}

#[test]
fn an_address_keeps_its_path_and_loses_query_and_credentials() {
    for (text, kept) in [
        (
            "GET http://a/b?c=d failed, see https://e/f",
            "GET http://a/b?*** failed, see https://e/f",
        ),
        ("(https://user:word@host/path)", "(https://***@host/path)"),
        ("cut at https://a/b?X-Amz-Sig", "cut at https://a/b?***"),
        ("https://a/b?next=https://c/d&code=0a", "https://a/b?***"),
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
fn a_version_after_an_at_sign_is_no_host() {
    let image = "oci://registry/web@1.x";
    assert_eq!(without_signatures(image), image);
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
fn every_word_of_the_messages_of_ecs_is_kept() {
    let words = "awsvpc breaker bridge circuit cluster command container containers \
                 cpuArchitecture default definition deployment disabled enabled environment \
                 essential execution executionRoleArn external failed family FARGATE fargate health \
                 healthCheck instance invalid logging memory memoryReservation network networkMode \
                 platform portMappings privileged reason region running secrets service setting \
                 specified started stopped target timeout volume";
    assert_eq!(words.split_whitespace().count(), WORDS.len());
    for word in words.split_whitespace() {
        assert_eq!(without(word, &[word], &[]), word);
    }
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
        "eu-north-1",
        "af-south-1",
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

#[test]
fn a_secret_is_masked_where_its_address_lost_its_query_before() {
    const HOOK: &str = "https://chat.example.com/hooks/1234/aBcDtokenXYZ?wait=true";
    let bracketed = "https://a.example/tokenXYZ?b=(c)";
    for (secret, text, kept) in [
        (HOOK, format!("exec: \"{HOOK}\": no"), "exec: \"***\": no"),
        (
            HOOK,
            format!("{HOOK}&thread=1 failed"),
            "***&thread=1 failed",
        ),
        (
            "1234/aBcDtokenXYZ?wait=true",
            format!("GET {HOOK} failed"),
            "GET https://chat.example.com/hooks/*** failed",
        ),
        (bracketed, format!("{bracketed},d failed"), "***,d failed"),
        (
            "https://me:hunter22@a.example/tokenXYZ",
            "at https://me:hunter22@a.example/tokenXYZ".to_owned(),
            "at ***",
        ),
    ] {
        assert_eq!(without(&text, &[secret], &[]), kept, "{secret}");

        let shown = without(&without_signatures(&text), &[secret], &[]);
        assert!(
            !shown.contains("token") && !shown.contains("hunter"),
            "{shown}"
        );
    }
    let cut = without_signatures(&format!("exec: \"{HOOK}\": no"));
    assert_eq!(without(&cut, &[HOOK], &[]), "exec: \"***\": no");
    assert_eq!(
        without("https://b.example", &[HOOK], &[]),
        "https://b.example"
    );
}

#[test]
fn a_secret_is_masked_in_an_address_and_in_json_within_json() {
    for (secret, written) in [
        ("p@ss w/\u{fc}", "p%40ss%20w%2F%C3%BC"),
        ("a\"b\\c12", r#"a\\\"b\\\\c12"#),
    ] {
        assert_eq!(without(&format!("[{written}]"), &[secret], &[]), "[***]");
    }
}

#[test]
fn a_line_of_a_secret_is_masked_and_what_quotes_it_is_kept() {
    let key = "-----BEGIN KEY-----\n  MIIabc123\nmemory\n";
    assert_eq!(
        without(
            "no 'memory' for MIIabc123 in 'hunter22'",
            &[key, "\"hunter22\""],
            &[]
        ),
        "no 'memory' for *** in '***'"
    );
}

/// The text of a value and of a secret, as it ends a reason of this many characters.
fn ended(value: &str, end: &str, chars: usize) -> [String; 2] {
    let start = "a".repeat(chars - 2 - end.chars().count());
    let text = format!("{start}: {end}");
    let secret = without_values(
        &text,
        [value].into_iter(),
        std::iter::empty(),
        &["storefront"],
    );
    [without(&text, &[value], &["storefront"]), secret].map(|text| text.replace(&start, "a"))
}

#[test]
fn the_beginning_of_a_secret_is_masked_where_ecs_cut_the_text() {
    let postgres = "postgres-hunter22";
    assert_eq!(ended(postgres, "postgres-hunt", 255), ["a: ***", "a: ***"]);
    assert_eq!(ended(postgres, "postgr", 1_024), ["a: ***", "a: ***"]);
    assert_eq!(ended(postgres, "postg", 255), ["a: postg", "a: postg"]);

    // A shorter text was not cut.
    let whole = "a: postgres-hunt";
    assert_eq!(ended(postgres, "postgres-hunt", 254), [whole, whole]);

    // Words and names explain the text, unless the variable is named as a secret.
    assert_eq!(ended(postgres, "postgres", 255), ["a: postgres", "a: ***"]);
    let name = ended("storefront/abc", "storefront", 255);
    assert_eq!(name, ["a: storefront", "a: ***"]);

    let reasons = format!("{}: postgres-hunt; web: b", "a".repeat(255));
    let kept = format!("{}: ***; web: b", "a".repeat(255));
    assert_eq!(without(&reasons, &[postgres], &[]), kept);

    // What was removed made the text shorter.
    assert_eq!(
        without(
            "GET https://a.example/b?*** or postgres-hunt",
            &[postgres],
            &[]
        ),
        "GET https://a.example/b?*** or ***"
    );
}

#[test]
fn a_word_or_a_region_is_masked_as_the_secret_of_its_variable() {
    for secret in ["fargate", "eu-west-1", "memory"] {
        let masked = without_values(
            &format!("{secret} failed"),
            [secret].into_iter(),
            std::iter::empty(),
            &[],
        );
        assert_eq!(masked, "*** failed");
    }
}

#[test]
fn a_text_without_values_has_no_signature_either() {
    let text = "hunter22: GET https://a.example/b?X-Amz-Signature=0a of AKIAIOSFODNN7EXAMPLE";
    let kept = "***: GET https://a.example/b?*** of ***";
    assert_eq!(without(text, &["hunter22"], &[]), kept);
}

#[test]
fn credentials_are_masked_in_any_text() {
    assert_eq!(
        without_signatures(
            "curl -H Authorization: Bearer abcdef https://a/b?c AKIAIOSFODNN7EXAMPLE"
        ),
        "curl -H Authorization: Bearer *** https://a/b?*** ***"
    );
}
