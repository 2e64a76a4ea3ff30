//! Images and task definitions that build stages write into artifacts.

use std::io::{Cursor, Write};

use emulator::Aws;
use emulator::ecr::{self, Behaviour};
use harness::demo::COUNTER;
use harness::driver::{Fault, run};
use invariants::ledger_reader::{digest, executions};
use serde_json::{Value, json};
use zip::write::SimpleFileOptions;

use behaviour::{account, failure, jobs, only_register, until, without_mark};

const PIPELINE: &str = "slipway-page-counter";
const HTTPD: &str = "public.ecr.aws/docker/library/httpd@\
    sha256:7f5b2640fe6fb4f46592dfd3410c4a79dac4f89e4782432e0378abcd12345678";
const TASK_DEFINITION: &str = r#"{"family": "page-counter", "containerDefinitions": [
    {"name": "frontend", "image": "<IMAGE1_NAME>", "memory": 64},
    {"name": "api", "image": "<IMAGE2_NAME>", "memory": 64}]}"#;

fn zipped(files: &[(&str, &str)]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in files {
        archive
            .start_file(*name, SimpleFileOptions::default())
            .expect("a new archive takes a file");
        archive
            .write_all(text.as_bytes())
            .expect("memory takes bytes");
    }
    archive.finish().expect("an archive").into_inner()
}

/// Runs begin-release and register-task-definition of the counter's pipeline with these files in
/// its artifact.
fn release(files: &[(&str, &str)], more: Value) -> Aws {
    let mut aws = account();
    aws.s3
        .put("page-counter-config", "config.zip", zipped(files))
        .expect("the bucket is there");
    only_register(&mut aws, PIPELINE, more);

    let pushed =
        ecr::push(&mut aws, COUNTER, "1.0.0", Behaviour::Healthy).expect("the repository is there");
    run(aws, Fault::None, async |driver| {
        until(&driver, |aws| {
            executions(aws, PIPELINE)
                .any(|one| digest(one) == Some(pushed.as_str()) && one.is_over())
        })
        .await;
        driver.world.snapshot()
    })
}

#[test]
fn a_parameter_wins_over_the_file_and_each_image_goes_to_its_container() {
    let files = [
        ("taskdef.json", TASK_DEFINITION),
        (
            "imagedefinitions.json",
            r#"[{"name": "frontend", "imageUri": "example/front:1"},
                {"name": "api", "imageUri": "example/api:1"}]"#,
        ),
        ("imageDetail.json", &format!(r#"{{"ImageURI": "{HTTPD}"}}"#)),
    ];
    let aws = release(
        &files,
        json!({
            "images": {"frontend": "Config::imageDetail.json"},
            "imagedefinitions": "Config::imagedefinitions.json",
        }),
    );
    let expected = json!({
        "family": "page-counter",
        "containerDefinitions": [
            {"name": "frontend", "image": HTTPD, "memory": 64},
            {"name": "api", "image": "example/api:1", "memory": 64},
        ],
        // The tags of the family's newest revision, since the file has none: infrastructure owns
        // them.
        "tags": [{"key": "slipway:service", "value": "page-counter"}],
    });

    assert_eq!(
        without_mark(aws.ecs.request_of("page-counter:2").expect("registered")).0,
        expected
    );
}

#[test]
fn a_map_of_tags_is_refused_and_not_replaced() {
    let tags = r#"{"tags": {"Env": "prod"}, "family""#;
    let text = TASK_DEFINITION.replace("{\"family\"", tags);
    let aws = release(&[("taskdef.json", text.as_str())], json!({}));

    let execution = executions(&aws, PIPELINE).next_back().expect("it ran");
    let jobs = jobs(&aws, &execution.id, "begin-release");
    let (kind, message) = failure(jobs.last().expect("a job")).expect("a failure");
    assert_eq!(kind, "ConfigurationError", "{message}");
    assert!(
        message.contains("`tags` is an object; expected a list such as [{\"key\": "),
        "{message}"
    );
    assert_eq!(aws.ecs.request_of("page-counter:2"), None);
}

#[test]
fn files_that_cannot_be_read_are_refused_by_name() {
    let cases = [
        (
            ("imagedefinitions.json", "[]"),
            json!({"imagedefinitions": "Config::imagedefinitions.json"}),
            "`Config::imagedefinitions.json`: ",
        ),
        (
            ("imageDetail.json", "{}"),
            json!({"images": {"frontend": "Config::imageDetail.json"}}),
            "`Config::imageDetail.json`: ",
        ),
        (
            ("other.json", "{}"),
            json!({"taskdef": "Config::other.json"}),
            "`Config::other.json` ",
        ),
    ];
    for (file, more, why) in cases {
        let aws = release(&[("taskdef.json", TASK_DEFINITION), file], more);
        let execution = executions(&aws, PIPELINE).next_back().expect("it ran");
        let jobs = jobs(&aws, &execution.id, "register-task-definition");
        let (kind, message) = failure(jobs.last().expect("a job")).expect("a failure");
        assert_eq!(kind, "ConfigurationError", "{message}");
        assert!(message.contains(why), "{message}");
        assert_eq!(aws.ecs.request_of("page-counter:2"), None);
    }
}
