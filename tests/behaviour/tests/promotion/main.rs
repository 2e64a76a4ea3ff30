//! Promotion: the image of a commit goes from one environment to the next, each of which is a
//! release of its own.

mod accounts;
mod build_spec;
mod crashes;
mod held_back;
mod one_by_one;
mod roles;
mod template;

use std::sync::OnceLock;

use emulator::codepipeline::{self, ActionExecution, Execution, ExecutionStatus};
use emulator::ecr::{self, Behaviour};
use emulator::{Aws, Millis};
use harness::approvals;
use harness::demo::promotion::{CHAPTERS, ORDERS, PIPELINE, SERVICES, commit, opened};
use harness::demo::{Chapter, Release, play};
use harness::driver::{Driver, Fault, run};
use invariants::ledger_reader::{earlier_releases, record, text};
use serde_json::{Value, json};

use behaviour::{answer, image_of, newest, outcome, until};

const STAGES: [&str; 4] = ["Dev", "CI", "UAT", "Production"];

/// How long the pipeline of the demo soaks, less what the clock of the ledger cuts off.
const SOAK: Millis = 595_000;

fn played(aws: Aws, chapter: &Chapter) -> (Aws, Release) {
    let played = play(aws, chapter, Fault::None, &mut |_| {});
    let played = played.unwrap_or_else(|wrong| panic!("{wrong}"));
    (played.aws, played.release)
}

/// The account after the first commit went to production, and how its last release went.
fn promoted() -> (Aws, Release) {
    static PROMOTED: OnceLock<(Aws, Release)> = OnceLock::new();
    let play = || played(opened(1, &[]).expect("it opens"), &CHAPTERS[0]);
    PROMOTED.get_or_init(play).clone()
}

fn images(aws: &Aws) -> [String; 4] {
    SERVICES.map(|service| image_of(aws, service))
}

fn action<'a>(execution: &'a Execution, stage: &str, name: &str) -> &'a ActionExecution {
    let found = execution.latest_action(stage, name);
    found.unwrap_or_else(|| panic!("{stage} has no {name}"))
}

fn ended(action: &ActionExecution) -> Millis {
    action.ended.expect("it ended")
}

/// The tags of each image of the application.
fn tags(aws: &mut Aws) -> Vec<Value> {
    let input = json!({"repositoryName": ORDERS});
    let described = ecr::call(aws, "DescribeImages", &input).expect("the repository is there");
    let details = described["imageDetails"].as_array().expect("a list");
    details.iter().map(|it| it["imageTags"].clone()).collect()
}

/// The services and outcomes of the earlier releases of an execution.
fn earlier(aws: &Aws, execution: &str) -> Vec<(String, String)> {
    let record = record(aws, execution).expect("it has a record");
    let of = |it: &Value, name| text(it, name).unwrap_or_default().to_owned();
    earlier_releases(&record)
        .map(|it| (of(it, "service"), of(it, "outcome")))
        .collect()
}

/// Commits, and returns the execution that it started.
fn committed(driver: &Driver, behaviour: Behaviour, fails: &[&str]) -> String {
    let id = {
        let mut aws = driver.world.aws();
        commit(&mut aws, behaviour, fails).expect("the pipeline is there");
        newest(&aws, PIPELINE).id.clone()
    };
    driver.world.touch();
    id
}

/// Waits for the approval of an execution, and gives it.
async fn approved(driver: &Driver, execution: &str) {
    let waiting = |aws: &Aws| {
        let mut waiting = approvals::waiting(aws, PIPELINE).into_iter();
        waiting.find(|approval| approval.execution == execution)
    };
    until(driver, |aws| waiting(aws).is_some()).await;
    let approval = waiting(&driver.world.aws()).expect("it waits");
    answer(driver, &approval, true);
}

/// Waits for the end of an execution and of its release; returns its status.
async fn over(driver: &Driver, execution: &str) -> ExecutionStatus {
    let status = |aws: &Aws| {
        let found = aws.codepipeline.execution(execution);
        found.map(|found| (found.is_over(), found.status))
    };
    let is_closed = |aws: &Aws| {
        let record = record(aws, execution);
        record.is_none_or(|record| text(&record, "state") == Some("closed"))
    };
    until(driver, |aws| {
        status(aws).is_some_and(|(is_over, _)| is_over) && is_closed(aws)
    })
    .await;
    status(&driver.world.aws()).expect("it was there").1
}

#[test]
fn the_image_of_a_commit_is_the_same_in_all_environments() {
    let (mut aws, release) = promoted();
    for (service, image) in SERVICES.into_iter().zip(images(&aws)) {
        let expected = format!("/orders@{}", release.digest);
        assert!(image.ends_with(&expected), "{service}: {image}");
    }

    let execution = newest(&aws, PIPELINE);
    let commit = execution.outputs["Source"]["CommitId"].clone();
    let variables = &execution.outputs["Build"];
    assert_eq!(variables["IMAGE_TAG"], commit);
    assert_eq!(variables["IMAGE_DIGEST"], release.digest);
    assert_eq!(tags(&mut aws), [json!([commit])], "one image, one tag");
}

#[test]
fn the_tests_of_a_stage_run_at_once_and_the_next_stage_begins_after_the_soak() {
    let (aws, _) = promoted();
    let execution = newest(&aws, PIPELINE);
    let mut before = None;

    for stage in STAGES {
        let of = |name: &str| action(execution, stage, name);
        let (test, check, finish) = (of("test"), of("check"), of("finish-release"));
        assert_eq!(test.started, check.started, "{stage}");
        assert!(test.started >= ended(of("update-service")), "{stage}");
        assert!(finish.started >= ended(test).max(ended(check)), "{stage}");

        let soaked = ended(finish) - finish.started;
        assert_eq!(
            soaked >= SOAK,
            stage != "Production",
            "{stage}: {soaked} ms"
        );
        let begun = of("begin-release").started;
        assert!(before.is_none_or(|before| begun >= before), "{stage}");
        before = Some(ended(finish));
    }
}

#[test]
fn production_is_approved_before_anything_of_it_changes() {
    let (aws, _) = promoted();
    let execution = newest(&aws, PIPELINE);
    let of = |name: &str| action(execution, "Production", name);
    assert!(of("approve").started >= ended(of("begin-release")));
    assert!(of("register-task-definition").started >= ended(of("approve")));
    for stage in ["Dev", "CI", "UAT"] {
        assert!(execution.latest_action(stage, "approve").is_none());
    }
}

#[test]
fn the_record_of_an_execution_has_how_each_environment_ended() {
    let (aws, release) = promoted();
    let execution = &newest(&aws, PIPELINE).id;
    let expected = ["orders-dev", "orders-ci", "orders-uat"]
        .map(|service| (service.to_owned(), "deployed".to_owned()));
    assert_eq!(earlier(&aws, execution), expected);

    let record = record(&aws, execution).expect("a record");
    assert_eq!(text(&record, "service"), Some("orders-prod"));
    assert_eq!(text(&record, "outcome"), Some("deployed"));
    assert_eq!(text(&record, "digest"), Some(release.digest.as_str()));
}

#[test]
fn a_failed_test_rolls_its_environment_back_and_the_image_goes_no_further() {
    let (aws, _) = promoted();
    let before = images(&aws);
    let (aws, release) = played(aws, &CHAPTERS[1]);
    let after = images(&aws);

    for at in [0, 1] {
        assert!(after[at].ends_with(&release.digest), "{}", after[at]);
    }
    assert_eq!(after[2..], before[2..], "UAT is restored");
    assert_ne!(after[0], before[0]);
    let execution = newest(&aws, PIPELINE);
    assert_eq!(execution.status, ExecutionStatus::Failed);
    assert!(execution.stage("Production").is_none());
    assert_eq!(earlier(&aws, &execution.id).len(), 2);
}

#[test]
fn a_commit_whose_build_fails_reaches_no_environment() {
    let (aws, _) = promoted();
    let before = images(&aws);
    run(aws, Fault::None, async |driver| {
        let execution = committed(&driver, Behaviour::Healthy, &["Build/build"]);
        assert_eq!(over(&driver, &execution).await, ExecutionStatus::Failed);
        let mut aws = driver.world.aws();
        assert_eq!(record(&aws, &execution), None);
        assert_eq!(images(&aws), before);
        assert_eq!(tags(&mut aws).len(), 1, "nothing was pushed");
    });
}

#[test]
fn a_commit_is_built_once_and_promoted_again_without_a_change() {
    let (aws, _) = promoted();
    let before = images(&aws);
    run(aws, Fault::None, async |driver| {
        let execution = {
            let mut aws = driver.world.aws();
            let start = json!({"name": PIPELINE});
            let started = codepipeline::call(&mut aws, "StartPipelineExecution", &start);
            let started = started.expect("it starts")["pipelineExecutionId"].clone();
            started.as_str().expect("an id").to_owned()
        };
        driver.world.touch();
        approved(&driver, &execution).await;

        assert_eq!(over(&driver, &execution).await, ExecutionStatus::Succeeded);
        assert_eq!(outcome(&driver, &execution), "unchanged");
        let mut aws = driver.world.aws();
        let unchanged = earlier(&aws, &execution);
        assert!(unchanged.iter().all(|(_, outcome)| outcome == "unchanged"));
        assert_eq!(unchanged.len(), 3);
        assert_eq!(images(&aws), before);
        assert_eq!(tags(&mut aws).len(), 1, "the image was built before");
        let found = aws.codepipeline.execution(&execution).expect("it is there");
        let finish = action(found, "Dev", "finish-release");
        assert!(ended(finish) - finish.started < SOAK, "nothing soaks");
    });
}

/// Actions of the roles of the stack that the sandbox's pipeline does not demand of them, although
/// CodePipeline's documentation does; the last one is for connections that were made before 2024.
const DOCUMENTED: [&str; 5] = [
    "codestar-connections:UseConnection",
    "s3:GetBucketAcl",
    "s3:GetBucketLocation",
    "s3:GetBucketVersioning",
    "s3:GetObjectVersion",
];

#[test]
fn each_role_of_the_stack_has_what_its_releases_need_and_no_more() {
    let (aws, _) = promoted();
    let stack = aws.cloudformation.stack("orders-pipeline");
    let stack = stack.expect("it is deployed");

    for (name, others) in [
        ("PipelineRole", &DOCUMENTED[..]),
        ("BuildRole", &[][..]),
        ("TestRole", &[][..]),
        ("StatusRole", &[][..]),
    ] {
        let role = &stack.resource(name).expect("a role").physical_id;
        let statements = aws.cloudformation.iam.role(role).expect("it is there");
        let actions = statements.statements().flat_map(|statement| {
            let actions = emulator::cloudformation::items(&statement["Action"]);
            actions.iter().filter_map(Value::as_str)
        });
        let mut unused: Vec<&str> = actions
            .filter(|action| !aws.iam.has_demanded(role, action))
            .collect();
        unused.sort_unstable();
        assert_eq!(unused, others, "{name}");
    }
    assert_eq!(aws.iam.denials, []);
}
