//! What a dry run names of the images of a service: of the prior release, and of the one that a
//! release would deploy.

use emulator::{Aws, Quirk, ecr};
use harness::demo::{COUNTER, WEB};
use serde_json::json;

use super::bench::image;
use super::set_ups::deploy_role;
use behaviour::dry_run::{SetUp, denied, names_its_cause, no_more, nothing};
use behaviour::{image_of, released};

/// The image that web runs is in the archive, from which nothing is pulled.
fn archived(aws: &mut Aws) {
    aws.settle_quirk(Quirk::RefusesFilterOfNamed, false);
    let image = image_of(aws, WEB);
    let (_, digest) = image.split_once('@').expect("an image by its digest");
    let input = json!({
        "repositoryName": WEB, "imageId": {"imageDigest": digest},
        "targetStorageClass": "ARCHIVE",
    });
    ecr::call(aws, "UpdateImageStorageClass", &input).expect("the image is there");
}

fn archived_line(aws: &Aws) -> String {
    let image = image_of(aws, WEB);
    let (_, digest) = image.split_once('@').expect("an image by its digest");
    format!(
        "prior release: NG images: the prior release web:2 cannot be restored: the image of \
         container `web` is {image}, which is archived; expected an image that can be pulled; \
         restore it: aws ecr update-image-storage-class --region eu-west-1 --repository-name web \
         --image-id imageDigest={digest} --target-storage-class STANDARD; or deploy a revision \
         whose images exist: aws ecs update-service --cluster apps --service web \
         --task-definition <family:revision>"
    )
}

/// An image with the tag `arm`, built for no other architecture.
fn built_for_arm(aws: &mut Aws) {
    let index = json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [
            {
                "mediaType": "application/vnd.oci.image.manifest.v1+json", "size": 7,
                "digest": format!("sha256:{}", "0a".repeat(32)),
                "platform": {"architecture": "arm64", "os": "linux"},
            },
        ],
    });
    let image = json!({
        "repositoryName": WEB, "imageManifest": index.to_string(), "imageTag": "arm",
    });
    ecr::call(aws, "PutImage", &image).expect("legal");
}

fn arm_line(aws: &Aws) -> String {
    let wanted = json!({"repositoryName": WEB, "imageIds": [{"imageTag": "arm"}]});
    let found = ecr::call(&mut aws.clone(), "DescribeImages", &wanted).expect("it is there");
    let digest = found["imageDetails"][0]["imageDigest"].as_str();
    format!(
        "new revision: NG architecture: image 111122223333.dkr.ecr.eu-west-1.amazonaws.com/web@{} \
         is built for arm64; expected amd64, the architecture of the task definition; build the \
         image for it, or change `runtimePlatform`",
        digest.expect("a digest")
    )
}

/// The deploy role may not read the repository of an image that no parameter of its stack names.
fn unread_repository_line(aws: &Aws) -> String {
    let (name, _) = deploy_role(aws);
    let denial = denied(aws, "ecr:DescribeImages");
    let resource = "repository/page-counter ";
    assert!(denial.message.contains(resource), "{}", denial.message);
    format!(
        "new revision: NG image: ecr:DescribeImages failed: AccessDeniedException: {}; allow \
         ecr:DescribeImages in role {name}, then retry the release; the deploy role reads the \
         repositories of its own stack only: add this one to `OtherRepositoryArns` of the stack, \
         or correct `image`",
        denial.message
    )
}

const SET_UPS: [SetUp; 6] = [
    SetUp {
        make: archived,
        parameters: no_more,
        line: archived_line,
    },
    SetUp {
        make: nothing,
        parameters: |_| json!({"image": image("8.8.8")}),
        line: |_| {
            let image = image("8.8.8");
            format!(
                "new revision: NG image: image {image} cannot be deployed: The image with imageId \
                 {{imageDigest:'null', imageTag:'8.8.8'}} does not exist within the repository \
                 with name 'web' in the registry with id '111122223333'; push it first, or \
                 correct the reference; an image of a pull through cache is cached by its first \
                 pull: run docker pull {image}"
            )
        },
    },
    SetUp {
        make: built_for_arm,
        parameters: |_| json!({"image": image("arm")}),
        line: arm_line,
    },
    SetUp {
        make: nothing,
        parameters: no_more,
        line: |_| {
            "new revision: SKIP architecture: expected amd64, but the manifest of an image for \
             one architecture does not name it, and its configuration is not read"
                .to_owned()
        },
    },
    SetUp {
        make: nothing,
        parameters: |_| {
            let registry = "111122223333.dkr.ecr.eu-west-1.amazonaws.com";
            json!({"image": format!("{registry}/{COUNTER}:1.0.0")})
        },
        line: unread_repository_line,
    },
    SetUp {
        make: nothing,
        parameters: |_| json!({"image": "docker.io/library/nginx:1.27"}),
        line: |_| {
            "new revision: SKIP image: docker.io/library/nginx:1.27 is not in Amazon ECR".to_owned()
        },
    },
];

#[test]
fn each_image_that_a_release_would_refuse_is_named_by_the_line_of_its_cause() {
    let aws = released();
    for set_up in &SET_UPS {
        names_its_cause(&aws, WEB, set_up);
    }
}
