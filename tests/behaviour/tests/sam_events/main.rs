//! The example events in tests/events, which users and the conformance checks invoke the functions
//! with: each belongs to a function of template.yaml, looks like what AWS sends, and does on a
//! demo's account what its name states.
//!
//! `SLIPWAY_WRITE_EVENTS=1` writes the examples of a step that has none yet, from what the demo
//! sends to it.

mod examples;
mod notices;
mod task_roles;
mod worker;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use behaviour::{account, allow_by_hand, found_roles, migration, pair};
use emulator::Aws;
use emulator::client::{CallFault, Invocation, sdk_config};
use emulator::ecr::{self, Behaviour};
use emulator::lambda::Function;
use harness::demo::{CHAPTERS, SHOP, WEB, play};
use harness::demo::{canary, dns};
use harness::driver::{Driver, Fault, run};
use harness::functions;
use invariants::ledger_reader::FUNCTIONS_STACK;
use serde_json::{Value, json};
use slipway::aws::Sdk;
use slipway::job::Token;

use examples::shape;

/// How the functions that CodePipeline invokes are woken: by a job, by the job after it, and by an
/// operator.
const JOB: [&str; 3] = ["job", "job-with-token", "parameters"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../events")
}

/// `<logical id>.<case>.json`, by its logical id and case.
fn events() -> BTreeMap<(String, String), Value> {
    let files = std::fs::read_dir(folder())
        .expect("tests/events")
        .map(|file| file.expect("a file").path());
    let files = files.filter(|path| path.is_file());
    let read = |path: &Path| {
        let name = path
            .file_stem()
            .and_then(|name| name.to_str())
            .expect("a name in UTF-8")
            .to_owned();
        let (function, case) = name
            .split_once('.')
            .expect("a name like <logical id>.<case>.json");
        let text = std::fs::read(path).expect("a file that can be read");

        (
            (function.to_owned(), case.to_owned()),
            serde_json::from_slice(&text).expect("JSON"),
        )
    };
    files.map(|path| read(&path)).collect()
}

fn function(aws: &Aws, logical_id: &str) -> Function {
    let stack = aws
        .cloudformation
        .stack(FUNCTIONS_STACK)
        .expect("the functions' stack");
    let resource = stack
        .resource(logical_id)
        .unwrap_or_else(|| panic!("template.yaml has no {logical_id}"));

    aws.lambda
        .function(&resource.physical_id)
        .unwrap_or_else(|| panic!("{logical_id} is not a function"))
        .clone()
}

/// What `main.rs` makes of the function's environment.
fn sdk(driver: &Driver, invocation: Arc<Invocation>, function: &Function) -> Sdk {
    let variable = |name: &str| {
        function
            .environment
            .get(name)
            .map(String::as_str)
            .unwrap_or_default()
    };
    allow_by_hand(&mut driver.world.aws());
    let sdk = Sdk::new(
        sdk_config(&driver.world, invocation),
        variable("LEDGER_TABLE"),
    );
    sdk.with_reports(variable("SLIPWAY_REPORTS_BUCKET"))
}

/// Invokes a function with one of the files, and returns its response.
async fn invoke(driver: &Driver, logical_id: &str, case: &str) -> Value {
    let mut event = events()
        .remove(&(logical_id.to_owned(), case.to_owned()))
        .expect("the event is there");
    if let Some(role) = event.pointer_mut("/subscription/deploy_role") {
        let aws = driver.world.aws();
        *role = json!(aws.cloudformation.export("web-pipeline-DeployRoleArn"));
    }
    let function = function(&driver.world.aws(), logical_id);
    let invocation = Invocation::new(function.name.clone(), CallFault::None);
    let sdk = sdk(driver, invocation, &function);
    let answer = functions::invoke(&function.code, &sdk, event).await;
    answer.unwrap_or_else(|error| panic!("{logical_id}.{case}.json: {error}"))
}

/// The job in the file belongs to none of the account's pipelines, so CodePipeline rejects the
/// report as unknown.
async fn report_job(driver: &Driver, logical_id: &str, case: &str, report: &str) {
    assert_eq!(invoke(driver, logical_id, case).await, Value::Null);

    let aws = driver.world.aws();
    let last = aws.calls.last().expect("a call was made");
    let reported = (last.operation.as_str(), last.error.as_deref());
    assert_eq!(
        reported,
        (report, Some("JobNotFoundException")),
        "{logical_id}.{case}.json"
    );
}

/// Invokes a step in all three ways; an operator gets `status`.
async fn step(driver: &Driver, logical_id: &str, status: &str) -> Value {
    // Of an unknown job, begin-release cannot read the pipeline whose deploy role it is to assume.
    let report = match logical_id {
        "BeginReleaseFunction" => "PutJobFailureResult",
        _ => "PutJobSuccessResult",
    };
    report_job(driver, logical_id, "job", report).await;
    report_job(driver, logical_id, "job-with-token", report).await;
    let answer = invoke(driver, logical_id, "parameters").await;
    assert_eq!(answer["status"], status, "{logical_id}: {answer}");
    answer
}

/// An account with the image of the files, and all that is done to it before they come.
fn with_image<T>(scenario: impl AsyncFnOnce(&Driver) -> T) -> T {
    let mut aws = account();
    ecr::push(&mut aws, WEB, "1.0.0", Behaviour::Healthy).expect("pushed");
    run(aws, Fault::None, async |driver| scenario(&driver).await)
}

async fn begin_to_update(driver: &Driver) {
    step(driver, "BeginReleaseFunction", "done").await;
    let registered = step(driver, "RegisterTaskDefinitionFunction", "done").await;
    let update = &events()[&("UpdateServiceFunction".to_owned(), "parameters".to_owned())];

    assert_eq!(
        registered["outputVariables"]["TaskDefinitionArn"],
        update["parameters"]["task_definition"]
    );

    step(driver, "UpdateServiceFunction", "in-progress").await;
    step(driver, "FinishReleaseFunction", "in-progress").await;
}

#[test]
fn every_function_has_its_events_and_every_event_its_function() {
    let aws = account();
    let mut cases: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (function_id, case) in events().into_keys() {
        let function = function(&aws, &function_id);
        cases.entry(function.code).or_default().insert(case);
    }

    let woken: BTreeMap<String, BTreeSet<String>> = aws
        .lambda
        .functions
        .values()
        .map(|function| {
            let ways: &[&str] = match function.code.as_str() {
                "start-pipeline" => &["push"],
                "find-task-roles" => &["create"],
                "poll-jobs" => &["action-started", "poll"],
                "announce-releases" => &["approval-started", "changes"],
                "roll-back" => &["execution-failed", "sweep", "parameters"],
                _ => &JOB,
            };
            (
                function.code.clone(),
                ways.iter().map(|&way| way.to_owned()).collect(),
            )
        })
        .collect();
    assert_eq!(cases, woken);
}

/// The demo, a canary, a release by records, a stack that finds roles, a release with a one-off
/// task and one by custom actions, at their ends, and one that is announced.
fn stories() -> [Aws; 7] {
    let mut aws = account();
    for chapter in &CHAPTERS {
        aws = play(aws, chapter, Fault::None, &mut |_| {})
            .expect("the demo goes as expected")
            .aws;
    }

    let mut shop = canary::opened(1, &[]).expect("the shop opens");
    canary::CASES[1]
        .prepare(&mut shop)
        .expect("there is a shop");
    let judged = play(shop, &canary::CASES[1].chapter(), Fault::None, &mut |_| {})
        .expect("it goes as expected")
        .aws;

    let site = dns::opened(1, &[], &[]).expect("the site opens");
    let by_records = play(site, &dns::CHAPTERS[0], Fault::None, &mut |_| {})
        .expect("it goes as expected")
        .aws;
    let found = run(aws.clone(), Fault::None, async |driver| {
        found_roles::begin(&mut driver.world.aws(), &[]);
        found_roles::complete(&driver, found_roles::STACK).await;
        driver.world.snapshot()
    });
    let (migrated, polled) = (migration::released(), worker::released());
    let announced = notices::waiting();
    [aws, judged, by_records, found, migrated, polled, announced]
}

#[test]
fn events_look_like_what_the_story_sends() {
    let stories = stories();
    let aws = &stories[0];
    let sent: Vec<_> = stories
        .iter()
        .flat_map(|story| &story.lambda.invocations)
        .collect();
    if std::env::var_os("SLIPWAY_WRITE_EVENTS").is_some() {
        examples::write_missing(aws, &sent);
    }

    for ((function_id, case), mut event) in events() {
        let function = function(aws, &function_id);
        if case == "job-with-token" {
            // An undisturbed demo gives few of these, so the token is looked at by itself.
            let data = event["CodePipeline.job"]["data"]
                .as_object_mut()
                .expect("a job with data");
            let token = data.remove("continuationToken").expect("a token");
            Token::parse(token.as_str().expect("a text"), &function.code)
                .expect("a token of this step");
        }

        let name = function.name;
        let mut to_it = sent.iter().filter(|invocation| invocation.function == name);
        let like = to_it.any(|invocation| shape(&invocation.payload) == shape(&event));

        assert!(
            like || case == "parameters",
            "{function_id}.{case}.json is unlike all that the demo sends to {name}"
        );
    }
}

#[test]
fn events_release_an_image() {
    with_image(async |driver| {
        let first = invoke(driver, "StartPipelineFunction", "push").await;
        assert_eq!(first["status"], "started");

        let again = invoke(driver, "StartPipelineFunction", "push").await;
        assert_eq!(
            (&again["status"], &again["execution"]),
            (&json!("known"), &first["execution"])
        );

        begin_to_update(driver).await;
        tokio::time::sleep(Duration::from_secs(600)).await;
        step(driver, "UpdateServiceFunction", "done").await;
        let finished = invoke(driver, "FinishReleaseFunction", "parameters").await;

        assert_eq!(
            finished["outputVariables"]["Outcome"], "deployed",
            "{finished}"
        );

        for case in ["execution-failed", "parameters"] {
            let late = invoke(driver, "RollBackFunction", case).await;
            assert_eq!(late["status"], "the release is closed: nothing to do");
        }

        // The push started an execution of its own, which waits for its turn.
        let swept = invoke(driver, "RollBackFunction", "sweep").await;
        let execution = first["execution"].as_str().expect("an id");
        assert_eq!(
            swept,
            json!({"swept": {execution: "the execution is InProgress"}})
        );
    });
}

/// Runs a step with parameters that no file has, as often as it takes.
async fn by_hand(driver: &Driver, logical_id: &str, parameters: Value) -> Value {
    let function = function(&driver.world.aws(), logical_id);
    let mut event = json!({ "parameters": parameters });
    loop {
        let invocation = Invocation::new(function.name.clone(), CallFault::None);
        let sdk = sdk(driver, invocation, &function);
        let answer = functions::invoke(&function.code, &sdk, event.clone())
            .await
            .expect("an answer");
        if answer["status"] != "in-progress" {
            assert_eq!(answer["status"], "done", "{logical_id}: {answer}");
            return answer;
        }
        event["continuationToken"] = answer["continuationToken"].clone();
        tokio::time::sleep(Duration::from_secs(30)).await;
    }
}

#[test]
fn events_shift_the_traffic_of_a_pair() {
    let mut aws = account();
    let pushed = ecr::push(&mut aws, SHOP, "1.0.0", Behaviour::Healthy).expect("pushed");
    let rule = pair::rule(&aws);
    run(aws, Fault::None, async |driver| {
        let swap = events()[&(
            "SwapTargetGroupsFunction".to_owned(),
            "parameters".to_owned(),
        )]
            .clone();
        let with = |more: Value| {
            let common = ["pipeline", "execution", "cluster", "service"];
            let mut all: Value = common
                .iter()
                .map(|name| ((*name).to_owned(), swap["parameters"][name].clone()))
                .collect();
            all.as_object_mut()
                .expect("an object")
                .extend(more.as_object().expect("an object").clone());
            all
        };
        let image = format!("111122223333.dkr.ecr.eu-west-1.amazonaws.com/shop@{pushed}");

        by_hand(
            &driver,
            "BeginReleaseFunction",
            with(json!({"strategy": "blue-green", "rule": rule})),
        )
        .await;
        let images = with(json!({"images": {"web": image}}));
        let registered = by_hand(&driver, "RegisterTaskDefinitionFunction", images).await;
        let definition = &registered["outputVariables"]["TaskDefinitionArn"];

        assert_eq!(*definition, swap["parameters"]["task_definition"]);

        let fill = json!({"strategy": "blue-green", "mode": "fill", "task_definition": definition});
        by_hand(&driver, "UpdateServiceFunction", with(fill)).await;
        tokio::time::sleep(Duration::from_secs(60)).await;
        step(&driver, "SwapTargetGroupsFunction", "in-progress").await;

        assert_eq!(pair::weights(&driver.world.aws()), [80, 20]);
    });
}

#[test]
fn events_roll_a_release_back() {
    for wake in ["execution-failed", "parameters"] {
        with_image(async |driver| {
            begin_to_update(driver).await;
            let answers = [
                (Duration::ZERO, "restoring web:1"),
                (Duration::from_secs(30), "restoring web:1: "),
                (Duration::from_secs(900), "rolled-back: "),
            ];

            for (after, expected) in answers {
                tokio::time::sleep(after).await;
                let answer = invoke(driver, "RollBackFunction", wake).await;
                let status = answer["status"].as_str().expect("a status");
                assert!(status.starts_with(expected), "{wake}: {status}");
            }
        });
    }
}
