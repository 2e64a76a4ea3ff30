//! Images of a pull through cache.

use super::execution_role::{self, ROLE};
use super::*;

const NGINX: &str = "docker-hub/library/nginx";

/// An account whose repositories below `docker-hub` are a cache.
fn cached() -> Aws {
    let mut aws = Aws::new(1);
    let rule = json!({
        "ecrRepositoryPrefix": "docker-hub", "upstreamRegistryUrl": "registry-1.docker.io",
    });
    let made = call(&mut aws, "CreatePullThroughCacheRule", &rule).unwrap();
    assert_eq!(made["ecrRepositoryPrefix"], "docker-hub");
    let again = call(&mut aws, "CreatePullThroughCacheRule", &rule).unwrap_err();
    assert_eq!(again.code, "PullThroughCacheRuleAlreadyExistsException");
    aws
}

/// What DescribeImages has of a tag of nginx: its digest, or the code of the error.
fn described(aws: &mut Aws, tag: &str) -> Result<String, String> {
    let input = json!({"repositoryName": NGINX, "imageIds": [{"imageTag": tag}]});
    let answer = call(aws, "DescribeImages", &input).map_err(|error| error.code)?;
    let digest = answer["imageDetails"][0]["imageDigest"].as_str();
    Ok(digest.unwrap().to_owned())
}

fn pulls(aws: &mut Aws, image: &str, role: &str) -> bool {
    let host = "111122223333.dkr.ecr.eu-west-1.amazonaws.com";
    pulled(aws, &format!("{host}/{image}"), role).is_ok()
}

fn missing(code: &str) -> Result<String, String> {
    Err(code.to_owned())
}

#[test]
fn an_image_of_a_cache_is_missing_until_it_is_pulled_by_its_tag() {
    let mut aws = cached();
    assert_eq!(
        described(&mut aws, "1.25"),
        missing("RepositoryNotFoundException")
    );

    assert!(pulls(&mut aws, &format!("{NGINX}:1.25"), ""));
    let digest = described(&mut aws, "1.25").unwrap();
    assert!(pulls(&mut aws, &format!("{NGINX}@{digest}"), ""));
    assert_eq!(
        described(&mut aws, "1.26"),
        missing("ImageNotFoundException")
    );

    let input = json!({"repositoryName": NGINX, "force": true});
    call(&mut aws, "DeleteRepository", &input).unwrap();
    assert!(!pulls(&mut aws, &format!("{NGINX}@{digest}"), ""));
    assert!(!pulls(&mut aws, &format!("{NGINX}:1.25@{digest}"), ""));
    assert!(!pulls(&mut aws, "docker-hubs/library/nginx:1.25", ""));
    assert!(pulls(&mut aws, &format!("{NGINX}:1.25"), ""));
    assert_eq!(described(&mut aws, "1.25"), Ok(digest));
}

#[test]
fn an_import_needs_permissions_of_the_execution_role() {
    let images = ["nginx:1.25", "nginx:1.26", "redis:7"];
    let pulled_with = |actions: &[&str]| {
        let mut aws = cached();
        // The repository is there once another role has pulled.
        assert!(pulls(&mut aws, &format!("{NGINX}:1.25"), ""));
        execution_role::create(&mut aws, "docker-hub/*", actions);
        images.map(|image| pulls(&mut aws, &format!("docker-hub/library/{image}"), ROLE))
    };

    let (get, import) = ("ecr:BatchGetImage", "ecr:BatchImportUpstreamImage");
    assert_eq!(pulled_with(&[get]), [true, false, false]);
    assert_eq!(pulled_with(&[get, import]), [true, true, false]);
    let all = [get, import, "ecr:CreateRepository"];
    assert_eq!(pulled_with(&all), [true, true, true]);
}
