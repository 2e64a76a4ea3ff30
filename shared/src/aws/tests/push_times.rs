//! When a digest came into its repository, and what it is, as Amazon ECR describes it.

use serde_json::json;

use super::script::{Answer, Script, answer, refusal, run};
use crate::aws::{AwsError, Images};
use crate::manifest::ManifestKind;

const DIGEST: &str = "sha256:0a";

fn first_pushed_at(
    answers: impl IntoIterator<Item = Answer>,
) -> (Result<Option<i64>, AwsError>, Script) {
    let script = Script::new(answers);
    let read = run(Images::new(&script.sdk()).first_pushed_at("web", DIGEST));
    (read, script)
}

#[test]
fn the_time_of_a_push_is_read_to_the_millisecond() {
    let detail = json!({"imageDigest": DIGEST, "imagePushedAt": 1_767_603_600.25});
    let (read, script) = first_pushed_at([answer(&json!({"imageDetails": [detail]}))]);
    assert_eq!(read.expect("answered"), Some(1_767_603_600_250));
    let named = json!({"repositoryName": "web", "imageIds": [{"imageDigest": DIGEST}]});
    assert_eq!(script.only().json(), named);
}

#[test]
fn an_image_that_is_not_there_any_more_has_no_time() {
    let missing = || refusal("ImageNotFoundException", "there is none");
    let (read, _) = first_pushed_at([missing(), missing()]);
    assert_eq!(read.expect("answered"), None);

    let (read, _) = first_pushed_at([refusal("AccessDeniedException", "no")]);
    assert_eq!(read.expect_err("denied").operation, "ecr:DescribeImages");
}

#[test]
fn what_a_digest_is_comes_from_its_manifest_and_a_denial_shows_nothing() {
    let kind = |answered: Answer| {
        let script = Script::new([answered]);
        (run(Images::new(&script.sdk()).kind("web", DIGEST)), script)
    };
    let manifest = json!({"manifests": [{"platform": {"architecture": "arm64"}}]});
    let image = json!({"imageManifest": manifest.to_string()});
    let (read, script) = kind(answer(&json!({"images": [image]})));
    let listed = ManifestKind::Index(vec!["arm64".to_owned()]);
    assert_eq!(read.expect("answered"), Ok(listed));
    let named = json!({"repositoryName": "web", "imageIds": [{"imageDigest": DIGEST}]});
    assert_eq!(script.only().json(), named);

    let (read, _) = kind(refusal("AccessDeniedException", "no"));
    assert_eq!(read.expect_err("denied").operation, "ecr:BatchGetImage");
}
