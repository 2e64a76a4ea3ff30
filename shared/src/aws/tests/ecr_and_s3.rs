//! Images by digest, files of artifacts, and reports in their bucket.

use std::io::{Cursor, Write};

use serde_json::json;
use zip::CompressionMethod;
use zip::write::SimpleFileOptions;

use super::script::{Answer, Script, answer, at, refusal, response, run};
use crate::aws::{Artifacts, Images, Reports};
use crate::image::ImageReference;
use crate::job::{Artifact, Credentials, Failure, FailureType, Job, StepError};
use crate::judge::report::Judgement;

const REPOSITORY: &str = "444455556666.dkr.ecr.us-east-2.amazonaws.com/team/web";

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

#[test]
fn a_tag_in_ecr_becomes_the_digest_that_it_points_at_in_its_own_registry_and_region() {
    let (image, script) = resolve(&format!("{REPOSITORY}:1.0"), [details(&digest("0a"))]);
    assert_eq!(image, Ok(format!("{REPOSITORY}@{}", digest("0a"))));
    let sent = script.only();
    assert_eq!(sent.operation(), "DescribeImages");
    assert_eq!(
        sent.json(),
        json!({"registryId": "444455556666", "repositoryName": "team/web", "imageIds": [{"imageTag": "1.0"}]})
    );
    assert!(
        sent.uri
            .starts_with("https://api.ecr.us-east-2.amazonaws.com"),
        "{}",
        sent.uri
    );
}

#[test]
fn an_image_without_a_tag_is_the_latest_and_a_digest_is_proven_to_be_there() {
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
fn an_image_of_another_registry_stays_as_it_is() {
    let (image, script) = resolve("public.ecr.aws/nginx/nginx:1", []);
    assert_eq!(image, Ok("public.ecr.aws/nginx/nginx:1".to_owned()));
    assert_eq!(script.sent().len(), 0);
}

#[test]
fn an_image_that_is_missing_fails_the_release_as_unavailable() {
    for code in ["ImageNotFoundException", "RepositoryNotFoundException"] {
        let (image, _) = resolve(
            &format!("{REPOSITORY}:1.0"),
            [refusal(code, "there is none")],
        );
        let message = format!(
            "image {REPOSITORY}:1.0 cannot be deployed: there is none; push it first, or correct the reference"
        );
        assert_eq!(
            image,
            Err(Failure {
                kind: FailureType::RevisionUnavailable,
                message
            }
            .into())
        );
    }
    let (image, _) = resolve(
        &format!("{REPOSITORY}:1.0"),
        [refusal("AccessDeniedException", "no")],
    );
    assert!(
        matches!(
            &image,
            Err(StepError::Failed(Failure {
                kind: FailureType::PermissionError,
                ..
            }))
        ),
        "{image:?}"
    );
    let (image, _) = resolve(
        &format!("{REPOSITORY}:1.0"),
        [answer(&json!({"imageDetails": []}))],
    );
    assert!(
        matches!(&image, Err(StepError::Failed(Failure { message, .. })) if message.contains("no digest for"))
    );
}

/// A zip file of these files, unpacked sizes as given.
fn archive(files: &[(&str, Vec<u8>)], method: CompressionMethod) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        let options = SimpleFileOptions::default().compression_method(method);
        archive
            .start_file(*name, options)
            .expect("a new archive takes a file");
        archive.write_all(bytes).expect("memory takes bytes");
    }
    archive.finish().expect("an archive").into_inner()
}

fn object(bytes: Vec<u8>) -> Answer {
    let length = bytes.len().to_string();
    let headers = vec![
        ("content-type", "application/zip".to_owned()),
        ("content-length", length),
    ];
    Answer::Response {
        status: 200,
        headers,
        body: bytes,
    }
}

fn job(credentials: bool) -> Job<()> {
    let credentials_of_job = Credentials {
        access_key_id: "AKIDJOB".to_owned(),
        secret_access_key: "the job's key".to_owned(),
        session_token: "the job's session".to_owned(),
    };
    Job {
        spec: (),
        since: at(0),
        now: at(0),
        payload: None,
        artifacts: vec![
            Artifact {
                name: "Config".to_owned(),
                bucket: "artifacts".to_owned(),
                key: "web/Config/1".to_owned(),
            },
            Artifact {
                name: "Image".to_owned(),
                bucket: "artifacts".to_owned(),
                key: "web/Image/1".to_owned(),
            },
        ],
        credentials: credentials.then_some(credentials_of_job),
    }
}

fn read(
    location: &str,
    answers: impl IntoIterator<Item = Answer>,
) -> (Result<Vec<u8>, StepError>, Script) {
    let script = Script::new(answers);
    let (sdk, job) = (script.sdk(), job(true));
    (run(Artifacts::new(&sdk, &job).read(location)), script)
}

fn refused(location: &str, answers: impl IntoIterator<Item = Answer>) -> (FailureType, String) {
    match read(location, answers).0 {
        Err(StepError::Failed(failure)) => (failure.kind, failure.message),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_file_of_an_artifact_is_read_with_the_credentials_of_the_job() {
    let bytes = archive(
        &[
            ("a.json", b"other".to_vec()),
            ("deploy/taskdef.json", b"{}".to_vec()),
        ],
        CompressionMethod::Deflated,
    );
    let (file, script) = read("Image::deploy/taskdef.json", [object(bytes)]);
    assert_eq!(file, Ok(b"{}".to_vec()));
    let sent = script.only();
    assert_eq!(sent.method, "GET");
    assert!(
        sent.uri
            .starts_with("https://artifacts.s3.eu-west-1.amazonaws.com/web/Image/1"),
        "{}",
        sent.uri
    );
    assert_eq!(
        sent.header("x-amz-security-token"),
        Some("the job's session")
    );
    let signature = sent.header("authorization").expect("signed");
    assert!(signature.contains("Credential=AKIDJOB/"), "{signature}");
}

#[test]
fn a_location_names_an_artifact_and_a_path() {
    for location in [
        "taskdef.json",
        "Config:taskdef.json",
        "Config::",
        "::taskdef.json",
        "::",
        "",
    ] {
        let message = format!(
            "`{location}` is no file of an artifact; legal: <input artifact>::<path>, e.g. Config::taskdef.json"
        );
        assert_eq!(
            refused(location, []),
            (FailureType::ConfigurationError, message)
        );
    }
}

#[test]
fn an_artifact_that_is_not_an_input_is_refused_with_those_that_are() {
    let (kind, message) = refused("Source::taskdef.json", []);
    assert_eq!(kind, FailureType::ConfigurationError);
    assert_eq!(
        message,
        "`Source::taskdef.json`: artifact `Source` is not an input of this action; legal: Config, Image; add it to \
         InputArtifacts"
    );
    let script = Script::new([]);
    let (sdk, mut job) = (script.sdk(), job(true));
    job.artifacts.clear();
    let refused = run(Artifacts::new(&sdk, &job).read("Config::a"))
        .expect_err("no artifacts")
        .to_string();
    assert!(
        refused.contains("legal: none, the action has no input artifact; "),
        "{refused}"
    );
}

#[test]
fn a_job_without_credentials_reads_nothing_under_the_role_of_the_function() {
    let script = Script::new([]);
    let (sdk, job) = (script.sdk(), job(false));
    let refused = run(Artifacts::new(&sdk, &job).read("Config::a")).expect_err("no credentials");
    let message = "the job has no artifact credentials, so its artifacts cannot be read";
    assert_eq!(refused, Failure::configuration(message).into());
}

/// An archive of so many bytes in all, in which `a.json` is `{}`.
fn archive_of(bytes: usize) -> Vec<u8> {
    let padded = |padding| {
        archive(
            &[("a.json", b"{}".to_vec()), ("padding", vec![0; padding])],
            CompressionMethod::Stored,
        )
    };
    let overhead = padded(0).len();
    let archive = padded(bytes - overhead);
    assert_eq!(archive.len(), bytes);
    archive
}

#[test]
fn an_artifact_of_8_mib_is_read_and_a_larger_one_is_refused() {
    let most = 8 * 1024 * 1024;
    assert_eq!(
        read("Config::a.json", [object(archive_of(most))]).0,
        Ok(b"{}".to_vec())
    );
    let message = "artifact `Config` has 8388609 bytes; legal: 8388608 at most".to_owned();
    assert_eq!(
        refused("Config::a.json", [object(archive_of(most + 1))]),
        (FailureType::ConfigurationError, message)
    );
}

#[test]
fn an_artifact_whose_size_is_not_known_is_refused() {
    let bytes = archive(&[("a.json", b"{}".to_vec())], CompressionMethod::Stored);
    let (kind, message) = refused("Config::a.json", [response(200, "application/zip", bytes)]);
    assert_eq!(kind, FailureType::ConfigurationError);
    assert!(message.contains("legal: 8388608 at most"), "{message}");
}

#[test]
fn a_file_of_1_mib_is_unpacked_and_a_larger_one_is_refused() {
    let most = 1024 * 1024;
    let zeros = |size| archive(&[("a.json", vec![0; size])], CompressionMethod::Deflated);
    assert_eq!(
        read("Config::a.json", [object(zeros(most))])
            .0
            .map(|bytes| bytes.len()),
        Ok(most)
    );
    let message = "`Config::a.json`: the file is larger than 1048576 bytes".to_owned();
    assert_eq!(
        refused("Config::a.json", [object(zeros(most + 1))]),
        (FailureType::RevisionUnavailable, message.clone())
    );
    assert_eq!(
        refused("Config::a.json", [object(zeros(7 * most))]),
        (FailureType::RevisionUnavailable, message)
    );
}

#[test]
fn a_file_that_is_missing_is_refused_with_what_the_archive_has() {
    let bytes = archive(
        &[("a.json", vec![]), ("b/c.json", vec![])],
        CompressionMethod::Stored,
    );
    let (kind, message) = refused("Config::taskdef.json", [object(bytes)]);
    assert_eq!(kind, FailureType::RevisionUnavailable);
    assert!(
        message.starts_with("`Config::taskdef.json`: ")
            && message.contains("the archive has a.json, b/c.json"),
        "{message}"
    );
    let (kind, message) = refused("Config::taskdef.json", [object(b"not a zip".to_vec())]);
    assert_eq!(kind, FailureType::RevisionUnavailable);
    assert!(
        message.contains("the artifact is no zip archive"),
        "{message}"
    );
}

fn s3_refusal(status: u16, code: &str) -> Answer {
    response(
        status,
        "application/xml",
        format!("<Error><Code>{code}</Code><Message>no</Message></Error>"),
    )
}

#[test]
fn an_artifact_that_cannot_be_read_fails_for_its_own_reason() {
    let (kind, message) = refused("Config::a", [s3_refusal(403, "AccessDenied")]);
    assert_eq!(kind, FailureType::PermissionError);
    assert_eq!(
        message,
        "artifact `Config` cannot be read with the job's credentials: s3:GetObject failed: AccessDenied: no; check the \
         artifact bucket's policy and its KMS key"
    );
    let (kind, message) = refused("Config::a", [s3_refusal(404, "NoSuchKey")]);
    assert_eq!(kind, FailureType::RevisionUnavailable);
    assert_eq!(
        message,
        "artifact `Config` is not in its bucket any more: s3:GetObject failed: NoSuchKey: no; start the pipeline again"
    );
    assert_eq!(
        refused("Config::a", [s3_refusal(404, "NoSuchBucket")]).0,
        FailureType::ConfigurationError
    );
}

#[test]
fn a_report_is_a_page_and_its_json_side_by_side() {
    let text = include_str!("../../../../tests/golden/late-metrics.json");
    let judgement = Judgement::from_json(text).expect("a judgement");
    let script = Script::new([response(200, "", ""), response(200, "", "")]);
    let reports = Reports::new(&script.sdk());
    run(reports.write("web/e-1", &judgement)).expect("written");
    let sent = script.sent();
    let place = |name: &str| {
        format!("https://reports.s3.eu-west-1.amazonaws.com/web/e-1.{name}?x-id=PutObject")
    };
    assert_eq!(
        sent.iter()
            .map(|sent| (sent.method.as_str(), sent.uri.clone()))
            .collect::<Vec<_>>(),
        [("PUT", place("json")), ("PUT", place("html"))]
    );
    assert_eq!(sent[0].header("content-type"), Some("application/json"));
    assert_eq!(
        sent[1].header("content-type"),
        Some("text/html; charset=utf-8")
    );
    assert!(
        sent[0].text().contains(&judgement.to_json()),
        "the JSON is the judgement"
    );
    assert!(
        sent[1].text().contains("<!doctype html>") || sent[1].text().contains("<!DOCTYPE html>"),
        "a page"
    );
    assert_eq!(reports.location("web/e-1"), "s3://reports/web/e-1.html");
    assert_eq!(
        reports.link("web/e-1"),
        "https://eu-west-1.console.aws.amazon.com/s3/object/reports?region=eu-west-1&prefix=web/e-1.html"
    );
}

#[test]
fn a_report_of_which_a_part_was_not_written_is_an_error() {
    let text = include_str!("../../../../tests/golden/late-metrics.json");
    let judgement = Judgement::from_json(text).expect("a judgement");
    for answers in [
        vec![s3_refusal(403, "AccessDenied")],
        vec![response(200, "", ""), s3_refusal(403, "AccessDenied")],
    ] {
        let script = Script::new(answers);
        let error =
            run(Reports::new(&script.sdk()).write("web/e-1", &judgement)).expect_err("refused");
        assert_eq!(error.operation, "s3:PutObject");
        assert!(script.is_played());
    }
}
