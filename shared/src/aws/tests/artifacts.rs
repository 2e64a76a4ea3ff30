//! Files of input artifacts: read with the job's credentials, up to the limits of their sizes.

use std::io::{Cursor, Write};
use std::sync::OnceLock;

use serde_json::json;
use zip::CompressionMethod;
use zip::write::SimpleFileOptions;

use super::script::{Answer, Script, answer, at, response, run, s3_refusal};
use crate::aws::Artifacts;
use crate::job::{
    ActionKind, Artifact, Credentials, Failure, FailureType, Job, Origin, ReleaseRef, StepError,
};

/// A zip archive of these files.
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
        id: None,
        release: ReleaseRef::new("slipway-web", "e-1", "apps", "web"),
        parameters: (),
        since: at(0),
        now: at(0),
        kind: ActionKind::Invoke,
        frozen: None,
        refused_for_long: false,
        payload: None,
        kept: OnceLock::new(),
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
        origin: Origin::Job,
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
        Err(StepError::Failed(failure) | StepError::Refused(failure)) => {
            (failure.kind, failure.message)
        }
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
            "`{location}` is not a file of an artifact; expected <input artifact>::<path>, e.g. \
             Config::taskdef.json"
        );
        assert_eq!(
            refused(location, []),
            (FailureType::ConfigurationError, message)
        );
    }
}

#[test]
fn an_image_is_a_reference_or_that_of_a_file_of_an_artifact() {
    let detail = br#"{"ImageURI": "example/web:1"}"#.to_vec();
    let bytes = archive(&[("imageDetail.json", detail)], CompressionMethod::Stored);
    let script = Script::new([object(bytes)]);
    let (sdk, job) = (script.sdk(), job(true));
    let artifacts = Artifacts::new(&sdk, &job);

    for reference in ["example/web:2", "[2001:db8::1]:5000/web:2", "[::1]/web"] {
        let image = run(artifacts.image(reference)).expect("a reference");
        assert_eq!(image, reference);
    }
    let image = run(artifacts.image("Image::imageDetail.json")).expect("a file");
    assert_eq!(image, "example/web:1");
}

#[test]
fn an_artifact_that_is_not_an_input_is_refused_with_the_inputs() {
    let (kind, message) = refused("Source::taskdef.json", []);

    assert_eq!(kind, FailureType::ConfigurationError);
    assert_eq!(
        message,
        "`Source::taskdef.json`: artifact `Source` is not an input of this action; expected \
         one of: Config, Image; add it to InputArtifacts"
    );

    let script = Script::new([]);
    let (sdk, mut job) = (script.sdk(), job(true));
    job.artifacts.clear();
    let refused = run(Artifacts::new(&sdk, &job).read("Config::a"))
        .expect_err("no artifacts")
        .to_string();

    assert!(
        refused.contains("; it has no input artifacts; "),
        "{refused}"
    );
}

#[test]
fn a_job_without_credentials_reads_nothing() {
    let script = Script::new([]);
    let (sdk, job) = (script.sdk(), job(false));
    let refused = run(Artifacts::new(&sdk, &job).read("Config::a")).expect_err("no credentials");
    let message = "`artifactCredentials` is missing in the job; expected credentials for the \
                   input artifact";
    assert_eq!(refused, Failure::configuration(message).into());
}

#[test]
fn a_job_whose_event_has_no_credentials_reads_with_those_that_codepipeline_has_for_it() {
    let credentials = json!({
        "accessKeyId": "AKIDFETCHED", "secretAccessKey": "a key", "sessionToken": "a session",
    });
    let details = json!({"jobDetails": {"data": {"artifactCredentials": credentials}}});
    let file = archive(&[("a.json", b"{}".to_vec())], CompressionMethod::Stored);
    let script = Script::new([answer(&details), object(file)]);
    let (sdk, mut job) = (script.sdk(), job(false));
    job.id = Some("job-1".to_owned());

    let read = run(Artifacts::new(&sdk, &job).read("Config::a.json"));
    assert_eq!(read, Ok(b"{}".to_vec()));
    let sent = script.sent();
    assert_eq!(sent[0].operation(), "GetJobDetails");
    assert_eq!(sent[0].json(), json!({"jobId": "job-1"}));
    assert_eq!(sent[1].header("x-amz-security-token"), Some("a session"));
}

/// An archive of exactly `bytes` bytes, in which `a.json` is `{}`.
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

    let message = "artifact `Config` has 8388609 bytes; expected at most 8388608".to_owned();

    assert_eq!(
        refused("Config::a.json", [object(archive_of(most + 1))]),
        (FailureType::ConfigurationError, message)
    );
}

#[test]
fn an_artifact_of_unknown_size_is_refused() {
    let bytes = archive(&[("a.json", b"{}".to_vec())], CompressionMethod::Stored);
    let (kind, message) = refused("Config::a.json", [response(200, "application/zip", bytes)]);
    assert_eq!(kind, FailureType::ConfigurationError);
    assert!(message.contains("expected at most 8388608"), "{message}");
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
fn a_missing_file_is_refused_with_the_names_in_the_archive() {
    let bytes = archive(
        &[("a.json", vec![]), ("b/c.json", vec![])],
        CompressionMethod::Stored,
    );
    let (kind, message) = refused("Config::taskdef.json", [object(bytes)]);

    assert_eq!(kind, FailureType::RevisionUnavailable);
    assert_eq!(
        message,
        "`Config::taskdef.json`: the file is not in the archive; the archive has a.json, b/c.json"
    );

    let (kind, message) = refused("Config::taskdef.json", [object(b"not a zip".to_vec())]);

    assert_eq!(kind, FailureType::RevisionUnavailable);
    assert!(
        message.contains("the artifact is not a zip archive"),
        "{message}"
    );
}

#[test]
fn a_missing_file_is_refused_with_twenty_names_at_most_and_without_folders() {
    let many: Vec<String> = (10..32).map(|number| format!("{number}.json")).collect();
    let many: Vec<(&str, Vec<u8>)> = many.iter().map(|name| (name.as_str(), vec![])).collect();
    let folders = [("deploy/", vec![]), ("src\\", vec![])];

    for (files, has) in [
        (
            &many[..],
            "10.json, 11.json, 12.json, 13.json, 14.json, 15.json, 16.json, 17.json, 18.json, \
             19.json, 20.json, 21.json, 22.json, 23.json, 24.json, 25.json, 26.json, 27.json, \
             28.json, 29.json and 2 more",
        ),
        (&folders[..], "no file"),
        (&[][..], "no file"),
    ] {
        let bytes = archive(files, CompressionMethod::Stored);
        let message =
            format!("`Config::deploy/`: the file is not in the archive; the archive has {has}");
        assert_eq!(
            refused("Config::deploy/", [object(bytes)]),
            (FailureType::RevisionUnavailable, message)
        );
    }
}

#[test]
fn a_file_is_found_whatever_tool_wrote_its_name() {
    for (name, path) in [
        ("deploy\\taskdef.json", "deploy/taskdef.json"),
        ("./taskdef.json", "taskdef.json"),
        ("deploy/taskdef.json", "./deploy/taskdef.json"),
        ("deploy/taskdef.json", "deploy\\taskdef.json"),
    ] {
        let files = [("other.json", b"[]".to_vec()), (name, b"{}".to_vec())];
        let bytes = archive(&files, CompressionMethod::Deflated);
        let found = read(&format!("Config::{path}"), [object(bytes)]).0;
        assert_eq!(found, Ok(b"{}".to_vec()), "{path} in {name}");
    }

    let files = [("./a.json", b"[]".to_vec()), ("a.json", b"{}".to_vec())];
    let bytes = archive(&files, CompressionMethod::Stored);
    let found = read("Config::a.json", [object(bytes)]).0;
    assert_eq!(found, Ok(b"{}".to_vec()), "the name as it is given");
}

#[test]
fn an_empty_file_is_refused() {
    let bytes = archive(&[("a.json", vec![])], CompressionMethod::Stored);
    let message = "`Config::a.json`: the file is empty".to_owned();
    assert_eq!(
        refused("Config::a.json", [object(bytes)]),
        (FailureType::RevisionUnavailable, message)
    );
}

#[test]
fn an_unreadable_artifact_fails_with_its_own_reason() {
    let (kind, message) = refused("Config::a", [s3_refusal(403, "AccessDenied")]);

    assert_eq!(kind, FailureType::PermissionError);
    assert_eq!(
        message,
        "artifact `Config` cannot be read with the job's credentials: s3:GetObject failed: \
         AccessDenied: no; check the artifact bucket's policy and its KMS key"
    );

    let (kind, message) = refused("Config::a", [s3_refusal(404, "NoSuchKey")]);

    assert_eq!(kind, FailureType::RevisionUnavailable);
    assert_eq!(
        message,
        "artifact `Config` is no longer in its bucket: s3:GetObject failed: NoSuchKey: no; \
         start the pipeline again"
    );
    assert_eq!(
        refused("Config::a", [s3_refusal(404, "NoSuchBucket")]).0,
        FailureType::ConfigurationError
    );
}
