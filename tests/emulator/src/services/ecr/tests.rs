use super::*;

/// What a manifest holds, and where it comes from.
mod caches;
mod execution_role;
mod manifests;
mod replication;
mod scans;
mod shared;

/// What a task without an execution role meets.
fn behaviour(aws: &Aws, image: &str) -> Result<Behaviour, String> {
    super::behaviour(aws, image, "")
}

fn world(mutability: &str) -> Aws {
    let mut aws = Aws::new(1);
    call(
        &mut aws,
        "CreateRepository",
        &json!({ "repositoryName": "team/web", "imageTagMutability": mutability }),
    )
    .unwrap();
    aws
}

fn request(aws: &mut Aws, operation: &str, members: Value) -> Result<Value, String> {
    let mut input = json!({ "repositoryName": "team/web" });
    input
        .as_object_mut()
        .unwrap()
        .extend(members.as_object().unwrap().clone());
    call(aws, operation, &input).map_err(|error| error.to_string())
}

fn put(aws: &mut Aws, manifest: &str, tag: &str) -> Result<Value, String> {
    request(
        aws,
        "PutImage",
        json!({ "imageManifest": manifest, "imageTag": tag }),
    )
}

#[test]
fn repositories_are_created_once_and_described() {
    let mut aws = world("IMMUTABLE");
    let described = call(
        &mut aws,
        "DescribeRepositories",
        &json!({ "repositoryNames": ["team/web"] }),
    )
    .unwrap();
    let repository = &described["repositories"][0];

    assert_eq!(
        repository["repositoryUri"],
        "111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/web"
    );
    assert_eq!(
        (&repository["imageTagMutability"], &repository["registryId"]),
        (&json!("IMMUTABLE"), &json!("111122223333"))
    );
    assert_eq!(
        request(&mut aws, "CreateRepository", json!({})).unwrap_err(),
        "RepositoryAlreadyExistsException: The repository with name 'team/web' already exists in \
         the registry with id '111122223333'"
    );
    assert!(
        call(
            &mut aws,
            "CreateRepository",
            &json!({ "repositoryName": "Web" })
        )
        .is_err()
    );
    assert_eq!(
        call(
            &mut aws,
            "DescribeRepositories",
            &json!({ "repositoryNames": ["api"] })
        )
        .unwrap_err()
        .to_string(),
        "RepositoryNotFoundException: The repository with name 'api' does not exist in the \
         registry with id '111122223333'"
    );
}

#[test]
fn the_digest_is_the_hash_of_the_manifest() {
    let mut aws = world("MUTABLE");
    let put = put(&mut aws, "{}", "v1").unwrap();
    assert_eq!(
        put["image"]["imageId"]["imageDigest"],
        "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    );

    let wrong = json!({ "imageManifest": "{\"a\":1}", "imageDigest": "sha256:00" });
    assert!(
        request(&mut aws, "PutImage", wrong)
            .unwrap_err()
            .starts_with("ImageDigestDoesNotMatchException")
    );
    assert!(
        request(&mut aws, "PutImage", json!({ "imageManifest": "{" }))
            .unwrap_err()
            .contains("Invalid JSON syntax")
    );
}

#[test]
fn immutable_tags_stay_and_mutable_tags_move() {
    let mut aws = world("IMMUTABLE");
    put(&mut aws, "{}", "v1").unwrap();
    assert!(
        put(&mut aws, "{}", "v1")
            .unwrap_err()
            .starts_with("ImageAlreadyExistsException: Image with digest 'sha256:44136fa3")
    );
    assert_eq!(
        put(&mut aws, "{\"a\":1}", "v1").unwrap_err(),
        "ImageTagAlreadyExistsException: The image tag 'v1' already exists in the 'team/web' \
         repository and cannot be overwritten because the repository is immutable."
    );
    put(&mut aws, "{}", "v2").unwrap();

    let mut aws = world("MUTABLE");
    put(&mut aws, "{}", "v1").unwrap();
    put(&mut aws, "{\"a\":1}", "v1").unwrap();
    let images = request(&mut aws, "DescribeImages", json!({})).unwrap();
    let tags: Vec<&Value> = images["imageDetails"]
        .as_array()
        .unwrap()
        .iter()
        .map(|image| &image["imageTags"])
        .collect();
    assert!(tags.contains(&&Value::Null) && tags.contains(&&json!(["v1"])));
}

#[test]
fn images_are_described_by_tag_or_digest() {
    let mut aws = world("MUTABLE");
    let digest = push(&mut aws, "team/web", "v1", Behaviour::Healthy).unwrap();

    for id in [
        json!({ "imageTag": "v1" }),
        json!({ "imageDigest": digest }),
        json!({ "imageTag": "v1", "imageDigest": digest }),
    ] {
        let described = request(&mut aws, "DescribeImages", json!({ "imageIds": [id] })).unwrap();
        assert_eq!(
            (
                &described["imageDetails"][0]["imageDigest"],
                &described["imageDetails"][0]["imageTags"]
            ),
            (&json!(digest), &json!(["v1"]))
        );
    }
    assert_eq!(
        request(
            &mut aws,
            "DescribeImages",
            json!({ "imageIds": [{ "imageTag": "v2" }] })
        )
        .unwrap_err(),
        "ImageNotFoundException: The image with imageId {imageDigest:'null', imageTag:'v2'} does \
         not exist within the repository with name 'team/web' in the registry with id \
         '111122223333'"
    );
}

#[test]
fn images_come_in_pages() {
    let mut aws = world("MUTABLE");
    for tag in ["v1", "v2", "v3"] {
        push(&mut aws, "team/web", tag, Behaviour::Healthy).unwrap();
    }

    let first = request(&mut aws, "DescribeImages", json!({ "maxResults": 2 })).unwrap();
    assert_eq!(first["imageDetails"].as_array().unwrap().len(), 2);

    let second = request(
        &mut aws,
        "DescribeImages",
        json!({ "maxResults": 2, "nextToken": first["nextToken"] }),
    )
    .unwrap();
    assert_eq!(
        (
            second["imageDetails"].as_array().unwrap().len(),
            second.get("nextToken")
        ),
        (1, None)
    );
    assert!(
        request(
            &mut aws,
            "DescribeImages",
            json!({ "maxResults": 2, "imageIds": [{ "imageTag": "v1" }] })
        )
        .is_err()
    );
}

#[test]
fn batches_report_failures_one_by_one() {
    let mut aws = world("MUTABLE");
    put(&mut aws, "{}", "v1").unwrap();
    put(&mut aws, "{}", "v2").unwrap();
    let ids = json!({ "imageIds": [{ "imageTag": "v1" }, { "imageTag": "v9" }] });
    let got = request(&mut aws, "BatchGetImage", ids).unwrap();

    assert_eq!(
        (
            &got["images"][0]["imageManifest"],
            &got["failures"][0]["failureCode"]
        ),
        (&json!("{}"), &json!("ImageNotFound"))
    );
}

#[test]
fn a_task_meets_what_was_pushed() {
    let mut aws = world("MUTABLE");
    let host = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/web";
    let bad = push(&mut aws, "team/web", "v1", Behaviour::Exits).unwrap();
    let good = push(&mut aws, "team/web", "v1", Behaviour::Healthy).unwrap();

    assert_ne!(bad, good);
    assert_eq!(
        behaviour(&aws, &format!("{host}@{bad}")),
        Ok(Behaviour::Exits)
    );
    assert_eq!(
        behaviour(&aws, &format!("{host}:v1")),
        Ok(Behaviour::Healthy)
    );
    assert_eq!(
        behaviour(&aws, &format!("{host}:v1@{bad}")),
        Ok(Behaviour::Exits)
    );
    assert_eq!(
        behaviour(&aws, "public.ecr.aws/nginx/nginx:1"),
        Ok(Behaviour::Healthy)
    );

    let missing = behaviour(&aws, host).unwrap_err();
    assert!(
        missing.starts_with("CannotPullContainerError: ") && missing.ends_with("not found"),
        "{missing}"
    );
    assert!(
        push(&mut aws, "team/web", "v1", Behaviour::Healthy)
            .unwrap_err()
            .code
            == "ImageAlreadyExistsException"
    );
}

#[test]
fn the_event_of_a_push_has_the_documented_members() {
    let mut aws = Aws::new(1);
    let documented = json!({
        "result": "SUCCESS",
        "repository-name": "web",
        "image-digest": "sha256:00",
        "action-type": "PUSH",
        "image-tag": "latest",
    });

    assert_eq!(
        push::detail(&mut aws, "web", "sha256:00", Some("latest")).to_string(),
        documented.to_string()
    );
}

#[test]
fn an_untagged_image_has_an_empty_tag_or_none() {
    let mut aws = Aws::new(1);
    let tags: Vec<Value> = (0..20)
        .map(|_| push::detail(&mut aws, "web", "sha256:00", None)["image-tag"].clone())
        .collect();
    assert!(tags.contains(&Value::Null) && tags.contains(&json!("")));
}

#[test]
fn a_repository_with_images_is_deleted_by_force_only() {
    let mut aws = world("MUTABLE");
    put(&mut aws, "{}", "v1").unwrap();
    assert!(
        request(&mut aws, "DeleteRepository", json!({}))
            .unwrap_err()
            .starts_with("RepositoryNotEmptyException")
    );

    request(&mut aws, "DeleteRepository", json!({"force": true})).unwrap();
    assert!(
        request(&mut aws, "DescribeImages", json!({}))
            .unwrap_err()
            .starts_with("RepositoryNotFoundException")
    );
}

#[test]
fn an_authorization_token_lasts_twelve_hours() {
    let mut aws = Aws::new(1);
    let token = call(&mut aws, "GetAuthorizationToken", &json!({})).unwrap()["authorizationData"]
        [0]
    .clone();
    assert_eq!(token["authorizationToken"], "QVdTOnNhbmRib3g=");
    assert_eq!(token["expiresAt"], Aws::seconds(aws.now + 12 * 3_600_000));
}

#[test]
fn the_annotation_of_a_manifest_names_the_behaviour() {
    let mut aws = world("MUTABLE");
    let host = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/web";
    put(
        &mut aws,
        r#"{"annotations":{"sandbox.behaviour":"exits"}}"#,
        "v1",
    )
    .unwrap();

    assert_eq!(behaviour(&aws, &format!("{host}:v1")), Ok(Behaviour::Exits));

    let wrong = put(
        &mut aws,
        r#"{"annotations":{"sandbox.behaviour":"flies"}}"#,
        "v2",
    )
    .unwrap_err();
    assert!(
        wrong.contains("sandbox.behaviour is `flies`; expected healthy"),
        "{wrong}"
    );

    put(
        &mut aws,
        r#"{"annotations":{"sandbox.behaviour":"fails-after-90"}}"#,
        "v3",
    )
    .unwrap();
    assert_eq!(
        behaviour(&aws, &format!("{host}:v3")),
        Ok(Behaviour::FailsAfter(90))
    );
}
