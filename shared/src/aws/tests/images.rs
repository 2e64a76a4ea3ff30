//! Images: resolved by tag or digest in the registry and region of the reference.

use serde_json::{Value, json};

use super::script::{Answer, Script, answer, refusal, run};
use crate::aws::{ErrorKind, FoundImage, Images};
use crate::image::ImageReference;
use crate::job::{Failure, FailureType, StepError};
use crate::manifest::{Manifest, ManifestKind};
use crate::observed::image::NotPullable;

const REPOSITORY: &str = "444455556666.dkr.ecr.us-east-2.amazonaws.com/team/web";
const OCI_IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const IN_TOTO: &str = "application/vnd.in-toto+json";

fn digest(byte: &str) -> String {
    format!("sha256:{}", byte.repeat(32))
}

fn resolve(
    image: &str,
    answers: impl IntoIterator<Item = Answer>,
) -> (Result<String, StepError>, Script) {
    let script = Script::new(answers);
    let image = ImageReference::parse(image).expect("a reference");
    let resolved = run(Images::new(&script.sdk()).resolve(&image)).map(|image| image.to_string());
    (resolved, script)
}

fn details(digest: &str) -> Answer {
    answer(&json!({"imageDetails": [{"imageDigest": digest}]}))
}

/// What ECR states about an OCI image, which an attestation can be too.
fn details_of_oci() -> Answer {
    let detail = json!({
        "imageDigest": digest("0a"), "imageManifestMediaType": OCI_IMAGE,
        "artifactMediaType": OCI_CONFIG,
    });
    answer(&json!({"imageDetails": [detail]}))
}

fn manifest(content: &Value) -> Answer {
    let images = json!([{"imageManifest": content.to_string()}]);
    answer(&json!({"images": images, "failures": []}))
}

fn of_layer(media_type: &str) -> Answer {
    manifest(&json!({"layers": [{"mediaType": media_type}]}))
}

#[test]
fn a_tag_resolves_to_its_digest_in_its_own_registry_and_region() {
    let (image, script) = resolve(&format!("{REPOSITORY}:1.0"), [details(&digest("0a"))]);

    assert_eq!(image, Ok(format!("{REPOSITORY}@{}", digest("0a"))));

    let sent = script.only();

    assert_eq!(sent.operation(), "DescribeImages");
    assert_eq!(
        sent.json(),
        json!({
            "registryId": "444455556666",
            "repositoryName": "team/web",
            "imageIds": [{"imageTag": "1.0"}],
        })
    );
    assert!(
        sent.uri
            .starts_with("https://api.ecr.us-east-2.amazonaws.com"),
        "{}",
        sent.uri
    );
}

#[test]
fn an_image_without_a_tag_is_the_latest_and_a_digest_is_verified() {
    let (_, script) = resolve(REPOSITORY, [details(&digest("0a"))]);

    assert_eq!(
        script.only().json()["imageIds"],
        json!([{"imageTag": "latest"}])
    );

    let (image, script) = resolve(
        &format!("{REPOSITORY}:1.0@{}", digest("0b")),
        [details(&digest("0b"))],
    );

    assert_eq!(
        script.only().json()["imageIds"],
        json!([{"imageDigest": digest("0b")}])
    );
    assert_eq!(image, Ok(format!("{REPOSITORY}@{}", digest("0b"))));
}

#[test]
fn an_image_of_another_registry_is_unchanged() {
    let (image, script) = resolve("public.ecr.aws/nginx/nginx:1", []);
    assert_eq!(image, Ok("public.ecr.aws/nginx/nginx:1".to_owned()));
    assert_eq!(script.sent().len(), 0);

    let image = ImageReference::parse("public.ecr.aws/nginx/nginx:1").expect("a reference");
    let found = run(Images::new(&script.sdk()).inspect(&image)).expect("unchanged");
    assert_eq!(found.kind.ok(), Some(ManifestKind::Image));
    assert_eq!(found.image, image);
    assert_eq!(script.sent().len(), 0);
}

#[test]
fn what_has_the_configuration_of_an_oci_image_is_read_before_it_is_released() {
    let pinned = format!("{REPOSITORY}@{}", digest("0a"));
    let after = |read: Vec<Answer>| {
        let answers = [details_of_oci()].into_iter().chain(read);
        resolve(&format!("{REPOSITORY}:1.0"), answers)
    };

    let (attestation, script) = after(vec![of_layer(IN_TOTO)]);
    let why = format!(
        "image {pinned} cannot run: its layers are `{IN_TOTO}`; expected those of a container \
         image; release the digest of an image"
    );
    assert_eq!(attestation, Err(Failure::configuration(why).into()));
    assert_eq!(script.operations(), ["DescribeImages", "BatchGetImage"]);
    assert_eq!(
        script.sent()[1].json()["imageIds"],
        json!([{"imageDigest": digest("0a")}])
    );

    let layer = "application/vnd.oci.image.layer.v1.tar+gzip";
    let (image, _) = after(vec![of_layer(layer)]);
    assert_eq!(image, Ok(pinned.clone()));

    let (denied, _) = after(vec![refusal("AccessDeniedException", "no")]);
    assert_eq!(denied, Ok(pinned), "nothing is known");
    let (busy, _) = after(vec![refusal("ThrottlingException", "slow"); 4]);
    assert!(matches!(busy, Err(StepError::Busy(_))), "{busy:?}");
    let (expired, _) = after(vec![refusal("ExpiredTokenException", "old")]);
    let looks_again = matches!(expired, Err(StepError::Unexpected(_)));
    assert!(looks_again, "{expired:?}");
}

#[test]
fn what_was_pushed_is_read_by_the_same_rule() {
    let oci = Manifest {
        media_type: Some(OCI_IMAGE.to_owned()),
        artifact_type: Some(OCI_CONFIG.to_owned()),
        tags: vec!["1.0".to_owned()],
    };
    let why = |answers: Vec<Answer>, stated: &Manifest| {
        let script = Script::new(answers);
        let images = Images::new(&script.sdk());
        let found = run(images.why_not_runnable("web", &digest("0a"), stated));
        (found.map_err(|error| error.kind), script)
    };

    let (attestation, script) = why(vec![of_layer(IN_TOTO)], &oci);
    let reason = format!("its layers are `{IN_TOTO}`; expected those of a container image");
    assert_eq!(attestation, Ok(Some(reason)));
    let own = json!({"repositoryName": "web", "imageIds": [{"imageDigest": digest("0a")}]});
    assert_eq!(script.only().json(), own);

    for (refused, expected) in [
        (
            vec![refusal("ThrottlingException", "slow"); 4],
            Err(ErrorKind::Busy),
        ),
        (
            vec![refusal("ExpiredTokenException", "old")],
            Err(ErrorKind::Credentials),
        ),
        (vec![refusal("AccessDeniedException", "no")], Ok(None)),
        (
            vec![refusal("RepositoryNotFoundException", "gone")],
            Ok(None),
        ),
    ] {
        assert_eq!(why(refused, &oci).0, expected);
    }

    let (unread, script) = why(Vec::new(), &Manifest::default());
    assert_eq!((unread, script.sent().len()), (Ok(None), 0));
}

#[test]
fn a_missing_image_fails_the_release_as_unavailable() {
    for (code, times) in [
        ("ImageNotFoundException", 2),
        ("RepositoryNotFoundException", 1),
    ] {
        let (image, script) = resolve(
            &format!("{REPOSITORY}:1.0"),
            vec![refusal(code, "there is none"); times],
        );
        assert_eq!(script.sent().len(), times, "{code}");
        let message = format!(
            "image {REPOSITORY}:1.0 cannot be deployed: there is none; push it first, or correct \
             the reference; an image of a pull through cache is cached by its first pull: run \
             docker pull {REPOSITORY}:1.0"
        );
        assert_eq!(
            image,
            Err(Failure {
                kind: FailureType::RevisionUnavailable,
                cause: None,
                message
            }
            .into())
        );
    }
}

#[test]
fn an_image_of_a_cache_is_pulled_by_a_tag() {
    let pinned = format!("{REPOSITORY}@{}", digest("0b"));
    let missing = vec![refusal("ImageNotFoundException", "there is none"); 2];
    let (image, _) = resolve(&pinned, missing);
    let Err(StepError::Failed(failure)) = image else {
        panic!("{image:?} is not missing")
    };
    assert_eq!(
        failure.message,
        format!(
            "image {pinned} cannot be deployed: there is none; push it first, or correct the \
             reference; an image of a pull through cache is cached by its first pull by a tag"
        )
    );
}

#[test]
fn an_image_that_may_not_be_described_is_not_missing() {
    let (image, _) = resolve(
        &format!("{REPOSITORY}:1.0"),
        [refusal("AccessDeniedException", "no")],
    );

    assert!(
        matches!(
            &image,
            Err(StepError::Refused(Failure {
                kind: FailureType::PermissionError,
                ..
            }))
        ),
        "{image:?}"
    );

    let (image, _) = resolve(
        &format!("{REPOSITORY}:1.0"),
        vec![answer(&json!({"imageDetails": []})); 2],
    );

    assert!(matches!(&image, Err(StepError::Unexpected(failure))
            if failure.message.contains("no digest for")));
}

#[test]
fn an_image_that_is_not_active_is_looked_for_once_more_by_any_status() {
    let own = format!("{REPOSITORY}:1.0");
    let missing = || refusal("ImageNotFoundException", "there is none");
    let archived = || {
        let detail = json!({"imageDigest": digest("0a"), "imageStatus": "ARCHIVED"});
        answer(&json!({"imageDetails": [detail]}))
    };
    let failure = |resolved: Result<String, StepError>| match resolved {
        Err(StepError::Failed(failure) | StepError::Refused(failure)) => {
            (failure.kind, failure.message)
        }
        other => panic!("{other:?}"),
    };

    for first in [missing(), answer(&json!({"imageDetails": []}))] {
        let (resolved, script) = resolve(&own, [first, archived()]);
        let (kind, message) = failure(resolved);
        assert_eq!(kind, FailureType::RevisionUnavailable);
        assert!(message.contains("it is archived"), "{message}");

        let sent = script.sent();
        let filters: Vec<_> = sent
            .iter()
            .map(|sent| sent.json()["filter"].clone())
            .collect();
        assert_eq!(filters, [json!(null), json!({"imageStatus": "ANY"})]);
    }

    // A refusal of the status is not what is wrong with the image; a missing permission is.
    for (code, kind, expected) in [
        (
            "InvalidParameterException",
            FailureType::RevisionUnavailable,
            "cannot be deployed: there is none",
        ),
        (
            "AccessDeniedException",
            FailureType::PermissionError,
            "no status",
        ),
    ] {
        let (resolved, _) = resolve(&own, [missing(), refusal(code, "no status")]);
        let (found, message) = failure(resolved);
        assert_eq!(found, kind, "{code}");
        assert!(message.contains(expected), "{code}: {message}");
    }
}

#[test]
fn an_image_that_is_missing_or_archived_cannot_be_pulled() {
    let not_pullable = |image: &str, answers: Vec<Answer>| {
        let script = Script::new(answers);
        let image = ImageReference::parse(image).expect("a reference");
        run(Images::new(&script.sdk()).not_pullable(&image))
    };
    let own = format!("{REPOSITORY}:1.0");
    let with_status = |status: &str| {
        let detail = json!({"imageDigest": digest("0a"), "imageStatus": status});
        vec![answer(&json!({"imageDetails": [detail]}))]
    };

    for (code, times) in [
        ("ImageNotFoundException", 2),
        ("RepositoryNotFoundException", 1),
    ] {
        let found = not_pullable(&own, vec![refusal(code, "there is none"); times]);
        assert_eq!(found, Ok(Some(NotPullable::Missing)), "{code}");
    }

    let restore = format!(
        "aws ecr update-image-storage-class --region us-east-2 --repository-name team/web \
         --image-id imageDigest={} --target-storage-class STANDARD",
        digest("0a")
    );
    assert_eq!(
        not_pullable(&own, with_status("ARCHIVED")),
        Ok(Some(NotPullable::Archived(restore)))
    );
    assert_eq!(not_pullable(&own, with_status("ACTIVE")), Ok(None));
    assert_eq!(
        not_pullable("public.ecr.aws/nginx/nginx:1", vec![]),
        Ok(None)
    );

    let restoring = not_pullable(&own, with_status("ACTIVATING"));
    assert!(
        matches!(restoring, Err(StepError::Busy(_))),
        "{restoring:?}"
    );
    let denied = not_pullable(&own, vec![refusal("AccessDeniedException", "no")]);
    assert!(matches!(denied, Err(StepError::Refused(_))), "{denied:?}");
}

#[test]
fn the_manifest_of_an_inspected_image_is_read_once_from_its_registry_and_region() {
    let inspect = |read: Answer| {
        let script = Script::new([details_of_oci(), read]);
        let image = ImageReference::parse(&format!("{REPOSITORY}:1.0")).expect("a reference");
        (run(Images::new(&script.sdk()).inspect(&image)), script)
    };

    let layer = "application/vnd.oci.image.layer.v1.tar+gzip";
    let (found, script) = inspect(of_layer(layer));
    let FoundImage { image, kind } = found.expect("an image");
    assert_eq!(image.to_string(), format!("{REPOSITORY}@{}", digest("0a")));
    assert_eq!(kind.ok(), Some(ManifestKind::Image));
    assert_eq!(script.operations(), ["DescribeImages", "BatchGetImage"]);
    let sent = &script.sent()[1];
    assert!(
        sent.uri
            .starts_with("https://api.ecr.us-east-2.amazonaws.com"),
        "{}",
        sent.uri
    );
    assert_eq!(
        sent.json(),
        json!({
            "registryId": "444455556666",
            "repositoryName": "team/web",
            "imageIds": [{"imageDigest": digest("0a")}],
        })
    );

    let kind = |read: Answer| inspect(read).0.map(|found| found.kind);
    let index = json!({"manifests": [{"platform": {"architecture": "arm64"}}]});
    let arm = kind(manifest(&index)).expect("an image");
    let listed = ManifestKind::Index(vec!["arm64".to_owned()]);
    assert_eq!(arm.ok(), Some(listed));
    let none = kind(answer(&json!({"images": [], "failures": []}))).expect("an image");
    assert_eq!(none.ok(), Some(ManifestKind::Image));
    let denied = kind(refusal("AccessDeniedException", "no")).expect("an image");
    let denied = denied.expect_err("it is not read");
    assert_eq!(denied.kind, ErrorKind::Permission);

    let attestation = kind(of_layer(IN_TOTO));
    assert!(
        matches!(&attestation, Err(StepError::Failed(failure))
            if failure.message.contains(" cannot run: its layers are ")),
        "{attestation:?}"
    );
}
