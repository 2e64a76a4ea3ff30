//! Which registries are those of Amazon ECR, in each partition.

use super::*;

#[test]
fn hosts_of_every_partition_and_of_dual_stack_are_ecr() {
    let place = |registry: &str, region: &str, repository: &str| {
        Some(EcrRepository {
            registry_id: registry.to_owned(),
            region: region.to_owned(),
            repository: repository.to_owned(),
        })
    };

    let china = parsed("111122223333.dkr.ecr.cn-north-1.amazonaws.com.cn/web").ecr();

    assert_eq!(china, place("111122223333", "cn-north-1", "web"));

    let fips = parsed("111122223333.dkr.ecr-fips.us-east-1.amazonaws.com/web:1").ecr();

    assert_eq!(fips, place("111122223333", "us-east-1", "web"));

    for (host, region) in [
        ("111122223333.dkr-ecr.eu-west-1.on.aws", "eu-west-1"),
        ("111122223333.dkr-ecr-fips.us-east-1.on.aws", "us-east-1"),
        (
            "111122223333.dkr-ecr.cn-north-1.on.amazonwebservices.com.cn",
            "cn-north-1",
        ),
        (
            "111122223333.dkr.ecr.eusc-de-east-1.amazonaws.eu",
            "eusc-de-east-1",
        ),
        (
            "111122223333.dkr.ecr.us-iso-east-1.c2s.ic.gov",
            "us-iso-east-1",
        ),
        (
            "111122223333.dkr.ecr.us-gov-west-1.amazonaws.com",
            "us-gov-west-1",
        ),
    ] {
        let found = parsed(&format!("{host}/team/web:1")).ecr();
        assert_eq!(found, place("111122223333", region, "team/web"), "{host}");
    }
}

#[test]
fn hosts_of_isolated_partitions_and_of_europe_are_ecr() {
    for (region, host) in [
        ("us-isob-east-1", "dkr.ecr.us-isob-east-1.sc2s.sgov.gov"),
        ("eu-isoe-west-1", "dkr.ecr.eu-isoe-west-1.cloud.adc-e.uk"),
        ("us-isof-south-1", "dkr.ecr.us-isof-south-1.csp.hci.ic.gov"),
        (
            "eusc-de-east-1",
            "dkr-ecr.eusc-de-east-1.on.amazonwebservices.eu",
        ),
    ] {
        let found = parsed(&format!("111122223333.{host}/web:1")).ecr();
        assert_eq!(found.map(|found| found.region).as_deref(), Some(region));
    }
}

#[test]
fn a_host_of_ecr_may_have_the_port_of_https_and_no_other() {
    let host = "111122223333.dkr.ecr.eu-west-1.amazonaws.com";
    let image = parsed(&format!("{host}:443/team/web:1.4"));
    assert_eq!(image.ecr(), parsed(&format!("{host}/team/web:1.4")).ecr());
    assert!(image.ecr().is_some());
    assert_eq!(image.tag.as_deref(), Some("1.4"));
    assert_eq!(image.to_string(), format!("{host}:443/team/web:1.4"));

    let wrong = format!("{host}:8443/team/web:1.4");
    let refused = ImageReference::parse(&wrong).expect_err("no port of ECR");
    assert_eq!(
        refused,
        format!(
            "the registry of image `{wrong}` is `{host}:8443`; expected no port or 443, because \
             Amazon ECR has no other"
        )
    );
    assert_eq!(parsed("localhost:8443/web").ecr(), None);
}

#[test]
fn a_host_of_ecr_has_the_domain_of_its_region() {
    for (region, host, domain) in [
        (
            "cn-north-1",
            "dkr.ecr.cn-north-1.amazonaws.com",
            "amazonaws.com.cn",
        ),
        (
            "cn-north-1",
            "dkr-ecr.cn-north-1.on.aws",
            "amazonaws.com.cn",
        ),
        (
            "eu-west-1",
            "dkr.ecr.eu-west-1.amazonaws.com.cn",
            "amazonaws.com",
        ),
        (
            "eusc-de-east-1",
            "dkr.ecr-fips.eusc-de-east-1.amazonaws.com",
            "amazonaws.eu",
        ),
    ] {
        let text = format!("111122223333.{host}/web:1");
        assert_eq!(
            ImageReference::parse(&text),
            Err(format!(
                "the registry of image `{text}` is `111122223333.{host}`; expected the domain \
                 {domain} in {region}"
            ))
        );
    }
}

#[test]
fn only_hosts_of_ecr_are_ecr() {
    let ecr = parsed("111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/web:1")
        .ecr()
        .expect("an ECR image");

    assert_eq!(
        (ecr.region.as_str(), ecr.repository.as_str()),
        ("eu-west-1", "team/web")
    );
    assert_eq!(parsed("public.ecr.aws/nginx/nginx").ecr(), None);
    assert_eq!(parsed("wercker/api").ecr(), None);

    for other in [
        "111122223333.dkr-ecr.eu-west-1.amazonaws.com/web",
        "111122223333.dkr.ecr.eu-west-1.on.aws/web",
        "111122223333.dkr.ecr.eu-west-1.amazonaws.com.example.com/web",
        "111122223333.dkr.ecs.eu-west-1.amazonaws.com/web",
        "111122223333.dkx.ecr.eu-west-1.amazonaws.com/web",
        "111122223333.dkr.ecr.eu-west-1.example.com/web",
    ] {
        assert_eq!(parsed(other).ecr(), None, "{other}");
    }
}

#[test]
fn a_host_of_ecr_is_in_lower_case() {
    for host in [
        "111122223333.DKR.ECR.EU-WEST-1.AMAZONAWS.COM",
        "111122223333.dkr-ecr.eu-west-1.On.Aws:443",
    ] {
        let text = format!("{host}/web:1");
        let expected = format!(
            "the registry of image `{text}` is `{host}`; expected {} for Amazon ECR",
            host.to_lowercase()
        );
        assert_eq!(ImageReference::parse(&text), Err(expected));
    }
}
