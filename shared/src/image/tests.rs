//! Image references: what is read of each, and what is refused.

mod registries;

use super::*;

fn parsed(text: &str) -> ImageReference {
    ImageReference::parse(text).expect("a valid reference")
}

#[test]
fn a_port_is_not_a_tag() {
    assert_eq!(parsed("localhost:5000/web").tag, None);
    assert_eq!(parsed("localhost:5000/web:1").tag.as_deref(), Some("1"));
    assert_eq!(parsed("redis").name, "redis");
}

#[test]
fn every_part_of_a_reference_is_parsed() {
    let digest = format!("sha256:{}", "0a".repeat(32));

    let reference = |name: &str, tag: Option<&str>, digest: Option<&str>| ImageReference {
        name: name.to_owned(),
        tag: tag.map(ToOwned::to_owned),
        digest: digest.map(ToOwned::to_owned),
    };

    assert_eq!(parsed("web"), reference("web", None, None));
    assert_eq!(
        parsed("a.b:5000/team/web:1.0"),
        reference("a.b:5000/team/web", Some("1.0"), None)
    );
    assert_eq!(
        parsed(&format!("a.b/web:1.0@{digest}")),
        reference("a.b/web", Some("1.0"), Some(digest.as_str()))
    );
    assert_eq!(
        parsed(&format!("web@{digest}")),
        reference("web", None, Some(digest.as_str()))
    );
}

#[test]
fn a_pinned_image_is_its_digest_alone() {
    let old = format!("sha256:{}", "0a".repeat(32));
    let new = format!("sha256:{}", "0b".repeat(32));
    let pinned = parsed(&format!("a.b/web:1.0@{old}")).pinned(&new);
    assert_eq!(pinned.to_string(), format!("a.b/web@{new}"));
    assert_eq!(pinned.tag, None);
}

#[test]
fn a_digest_is_sha256_and_64_lower_case_digits() {
    let digits = "0123456789abcdef".repeat(4);

    assert!(is_digest(&format!("sha256:{digits}")));

    for text in [
        digits.clone(),
        format!("sha512:{digits}"),
        format!("sha256:{}", &digits[1..]),
        format!("sha256:{digits}0"),
        format!("sha256:{}", digits.to_uppercase()),
        format!("sha256:g{}", &digits[1..]),
        "sha256:".to_owned(),
    ] {
        assert!(!is_digest(&text), "{text}");
    }
}

#[test]
fn a_short_digest_has_12_digits() {
    let digest = format!("sha256:{}", "0123456789abcdef".repeat(4));
    assert_eq!(short_digest(&digest), "sha256:0123456789ab");
    assert_eq!(short_digest("sha256:01"), "sha256:01");
}

#[test]
fn references_round_trip() {
    let digest = format!("sha256:{}", "0a".repeat(32));

    for text in [
        "redis",
        "redis:7",
        "public.ecr.aws/nginx/nginx:1",
        &format!("a.b/c:1@{digest}"),
        &format!("a.b/c@sha512:{}", "0a".repeat(64)),
    ] {
        assert_eq!(parsed(text).to_string(), *text);
    }
}

#[test]
fn invalid_references_are_refused() {
    let twice = format!("web@sha256:{0}@sha256:{0}", "0a".repeat(32));

    for text in [
        "",
        "<IMAGE1_NAME>",
        "a b",
        "web@sha256:12",
        "web@sha512:12",
        "web:",
        "#{Image.ImageURI}",
        "web/",
        ":1",
        "web:1:2",
        "a.b/team/web:1.0:2.0",
        "a.b/team//web",
        "a.b/-web",
        "a.b/web-",
        "team_/web",
        "tëam/web",
        "ghcr.io",
        "docker.io:7",
        "web:-1",
        "web:.1",
        "a.b/web..api",
        "a.b/web_.api",
        "a.b/web___api",
        "a.b:port/web",
        "a.b:/web",
        "a..b/web",
        "-a.b/web",
        "a_b.c/web",
        "$REGISTRY.example.com/web",
        "[::1/web",
        "[::g]/web",
        "[]/web",
        "[]:5000/web",
        "[2001:db8::1]",
        "[2001:db8::1]:5000",
        "[fe80::1%eth0]:5000/web",
        "[::ffff:192.0.2.33]:5000/web",
        "fc00::1:5000/web",
        "111122223333.dkr-ecr.eu-west-1.on.aws",
        "public.ecr.aws:latest",
        &twice,
    ] {
        assert!(ImageReference::parse(text).is_err(), "{text} was accepted");
    }
}

#[test]
fn a_refusal_names_what_is_wrong_with_the_reference() {
    let host = "111122223333.dkr.ecr.eu-west-1.amazonaws.com";
    let long = "1".repeat(129);

    for (text, why) in [
        (
            "<IMAGE1_NAME>".to_owned(),
            "`<IMAGE1_NAME>` is not an image reference; expected ".to_owned(),
        ),
        (
            "a b".to_owned(),
            "`a b` is not an image reference; expected ".to_owned(),
        ),
        (
            format!("https://{host}/web:1"),
            format!("begins with https://; expected it without: {host}/web:1"),
        ),
        (
            "arn:aws:ecr:eu-west-1:111122223333:repository/web".to_owned(),
            "is an ARN; expected [registry/]repository".to_owned(),
        ),
        (
            host.to_owned(),
            "is a registry without a repository".to_owned(),
        ),
        (
            format!("{host}/Web:1"),
            "the repository of image `111122223333.dkr.ecr.eu-west-1.amazonaws.com/Web:1` is \
             `Web`; expected lower-case letters"
                .to_owned(),
        ),
        (
            "MyOrg/web".to_owned(),
            "is `MyOrg/web`; expected lower-case letters".to_owned(),
        ),
        (
            format!("{host}/web:1.0:2.0"),
            "is `1.0:2.0`; expected one tag of up to 128".to_owned(),
        ),
        (
            format!("web:{long}"),
            "expected one tag of up to 128".to_owned(),
        ),
    ] {
        let refusal = ImageReference::parse(&text).expect_err(&text);
        assert!(refusal.contains(&why), "{refusal}");
    }
}

#[test]
fn a_registry_of_ecr_has_an_account_of_12_digits_and_a_region() {
    for (account, region) in [
        ("11112222333", "eu-west-1"),
        ("1111222233334", "eu-west-1"),
        ("11112222333a", "eu-west-1"),
        ("$AWS_ACCOUNT_ID", "eu-west-1"),
        ("ACCOUNT_ID", "eu-west-1"),
        ("111122223333", "REGION"),
        ("111122223333", "eu-west"),
        ("111122223333", "west-1"),
        ("111122223333", "eu-west-"),
        ("111122223333", "eu-west-x"),
        ("111122223333", "eu--1"),
        ("111122223333", ""),
    ] {
        for (kind, domain) in [("dkr.ecr", "amazonaws.com"), ("dkr-ecr-fips", "on.aws")] {
            let text = format!("{account}.{kind}.{region}.{domain}/web:1");
            assert_eq!(
                ImageReference::parse(&text),
                Err(format!(
                    "the registry of image `{text}` has account `{account}` and region \
                     `{region}`; expected an account of 12 digits and a region such as eu-west-1"
                ))
            );
        }
    }
}

#[test]
fn a_refusal_shows_no_credentials_and_no_signature() {
    for (text, shown) in [
        (
            "https://me:hush@registry.example.com/web:1",
            "image `https://***@registry.example.com/web:1` begins with https://; expected it \
             without: ***@registry.example.com/web:1",
        ),
        (
            "https://example.com/web?X-Amz-Signature=hush",
            "image `https://example.com/web?***` begins with https://; expected it without: \
             example.com/web?***",
        ),
        (
            "https://me:hush@example.com/{web}",
            "`https://***@example.com/{web}` is not an image reference; expected [registry/]",
        ),
    ] {
        let refusal = ImageReference::parse(text).expect_err(text);
        assert!(refusal.starts_with(shown), "{refusal}");
    }
}

#[test]
fn a_digest_alone_is_not_a_reference() {
    let hex = "0a".repeat(32);

    for text in [hex.clone(), format!("sha256:{hex}")] {
        let refusal = ImageReference::parse(&text).expect_err(&text);
        let why = format!("image `{text}` is a digest without a repository; expected ");
        assert!(refusal.starts_with(&why), "{refusal}");
    }
    assert_eq!(parsed(&format!("web:{hex}")).tag, Some(hex));
}

#[test]
fn a_registry_alone_is_not_a_reference() {
    for registry in [
        "docker.io",
        "gcr.io",
        "ghcr.io",
        "icr.io",
        "lscr.io",
        "nvcr.io",
        "quay.io",
        "ecr-public.aws.com",
        "mcr.microsoft.com",
        "public.ecr.aws",
        "registry.example.com",
        "registry-1.docker.io:latest",
    ] {
        let refusal = ImageReference::parse(registry).expect_err(registry);
        assert!(
            refusal.contains("is a registry without a repository"),
            "{refusal}"
        );
    }
}

#[test]
fn an_official_image_may_have_a_dot_in_its_name_and_a_repository_several() {
    for text in [
        "rocket.chat",
        "rocket.chat:7.1.0",
        "team/a.b.c:1",
        "web:1.2.3",
    ] {
        assert_eq!(parsed(text).to_string(), text);
    }
}

#[test]
fn a_tag_has_up_to_128_characters() {
    let tag = "1".repeat(128);
    assert_eq!(parsed(&format!("web:{tag}")).tag, Some(tag));
}

#[test]
fn a_repository_has_up_to_255_characters_without_its_registry() {
    let reference = |length: usize| format!("example.com/{}:1", "a".repeat(length));
    assert_eq!(parsed(&reference(255)).tag.as_deref(), Some("1"));
    let refusal = ImageReference::parse(&reference(256)).expect_err("too long");
    assert!(
        refusal.ends_with("has 256 characters; expected at most 255"),
        "{refusal}"
    );
}

#[test]
fn a_registry_may_have_capital_letters_and_a_port() {
    for text in [
        "Registry.example.com:5000/web:1",
        "[2001:db8::1]:5000/web",
        "[::1]/web",
        "cache.example-1.com/a--b/web",
        "localhost/web",
        "a_b/c-d__e.f:1",
    ] {
        parsed(text);
    }
}
