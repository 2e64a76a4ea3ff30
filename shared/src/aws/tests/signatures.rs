//! The signatures of an image, as Amazon ECR lists what is attached to it.

use serde_json::{Value, json};

use super::script::{Answer, Script, answer, refusal, run};
use crate::aws::{AwsError, Signatures};

const DIGEST: &str = "sha256:0a";

fn is_signed(answers: impl IntoIterator<Item = Answer>) -> (Result<bool, AwsError>, Script) {
    let script = Script::new(answers);
    let read = run(Signatures::new(&script.sdk()).is_signed("web", DIGEST));
    (read, script)
}

fn referrers(of: &[(&str, Value)]) -> Value {
    let referrer = |(artifact, annotations): &(&str, Value)| {
        json!({
            "digest": "sha256:0b", "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "artifactType": artifact, "size": 700, "annotations": annotations,
            "artifactStatus": "ACTIVE",
        })
    };
    let referrers: Vec<Value> = of.iter().map(referrer).collect();
    json!({ "referrers": referrers })
}

fn no_tag() -> Answer {
    refusal("ImageNotFoundException", "no such tag")
}

#[test]
fn a_signature_is_found_by_what_refers_to_the_image() {
    const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
    let predicate = |of: &str| json!({ "dev.sigstore.bundle.predicateType": of });
    for (artifact, annotations, expected) in [
        ("application/vnd.cncf.notary.signature", json!({}), true),
        (
            "application/vnd.dev.cosign.artifact.sig.v1+json",
            json!({}),
            true,
        ),
        (
            BUNDLE,
            predicate("https://sigstore.dev/cosign/sign/v1"),
            true,
        ),
        (
            BUNDLE,
            json!({"dev.sigstore.bundle.content": "message-signature"}),
            true,
        ),
        (BUNDLE, predicate("https://slsa.dev/provenance/v1"), false),
        (BUNDLE, json!({}), false),
        ("application/spdx+json", json!({}), false),
    ] {
        let listed = answer(&referrers(&[(artifact, annotations.clone())]));
        let (read, _) = is_signed([listed, no_tag()]);
        assert_eq!(
            read.expect("answered"),
            expected,
            "{artifact} {annotations}"
        );
    }
}

#[test]
fn a_signature_is_found_on_the_last_page_or_under_the_tag_of_cosign() {
    let mut first = referrers(&[("application/spdx+json", json!({}))]);
    first["nextToken"] = json!("more");
    let last = referrers(&[("application/vnd.cncf.notary.signature", json!({}))]);
    let (read, script) = is_signed([answer(&first), answer(&last)]);
    assert!(read.expect("answered"));
    let request = json!({
        "repositoryName": "web", "subjectId": {"imageDigest": DIGEST}, "maxResults": 50,
    });
    let mut next = request.clone();
    next["nextToken"] = json!("more");
    let sent: Vec<_> = script.sent().iter().map(|sent| sent.json()).collect();
    assert_eq!(sent, [request, next]);

    let detail = json!({"imageDetails": [{"imageDigest": "sha256:0b"}]});
    let (read, script) = is_signed([answer(&referrers(&[])), answer(&detail)]);
    assert!(read.expect("answered"));
    let sent: Vec<_> = script.sent().iter().map(|sent| sent.json()).collect();
    assert_eq!(sent[1]["imageIds"], json!([{"imageTag": "sha256-0a.sig"}]));
}

#[test]
fn a_refusal_is_no_signature_and_no_answer_either() {
    let (read, _) = is_signed([answer(&referrers(&[])), no_tag()]);
    assert!(!read.expect("answered"));
    let (read, _) = is_signed([refusal("RepositoryNotFoundException", "gone")]);
    assert_eq!(
        read.expect_err("refused").code,
        "RepositoryNotFoundException"
    );
}
