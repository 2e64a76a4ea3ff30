//! What the end-to-end tests share: an account, its pipelines changed as an operator would, and
//! functions invoked one by one.

mod approvals;
mod by_hand;
pub mod corpus;
mod deploy_role;
pub mod dry_run;
pub mod found_roles;
pub mod migration;
pub mod notices;
pub mod pair;
mod pipelines;
pub mod shop;

use std::io::{Cursor, Write};
use std::sync::OnceLock;
use std::time::Duration;

use emulator::codepipeline::{self, Execution, Job, ReportContent};
use emulator::ecr::{self, Behaviour};
use emulator::{Aws, Call, ecs};
use harness::demo::{CLUSTER, WEB, deployed};
use harness::driver::{Driver, Fault, run};
use invariants::ledger_reader::{FUNCTIONS_STACK, digest, executions, record, text};
use serde_json::{Value, json};
use zip::write::SimpleFileOptions;

pub use approvals::{answer, until_approval};
pub use by_hand::{
    allow_by_hand, by_hand, deny, invoke, invoke_deployed, invoke_with, invoke_with_all,
};
pub use deploy_role::deploy_role;
pub use harness::cores::on_all_cores;
pub use pipelines::{action, change_parameters, only_check, only_register, update_pipeline};

/// Longest that anything may take, in virtual time.
pub const LIMIT: Duration = Duration::from_secs(4 * 3600);

/// The demo's account, its services steady and nothing released yet.
pub fn account() -> Aws {
    static ACCOUNT: OnceLock<Aws> = OnceLock::new();
    ACCOUNT
        .get_or_init(|| deployed(1).expect("the stacks deploy"))
        .clone()
}

/// The newest execution of a pipeline.
pub fn newest<'a>(aws: &'a Aws, pipeline: &str) -> &'a Execution {
    executions(aws, pipeline)
        .next_back()
        .expect("the pipeline ran")
}

/// The jobs that an execution gave to an action.
pub fn jobs<'a>(aws: &'a Aws, execution: &str, action: &str) -> Vec<&'a Job> {
    aws.codepipeline
        .jobs
        .iter()
        .filter(|job| job.execution == execution && job.action == action)
        .collect()
}

/// Type and message with which a job was failed.
pub fn failure(job: &Job) -> Option<(&str, &str)> {
    job.reports.iter().find_map(|report| match &report.content {
        ReportContent::Failure { kind, message } if report.refused.is_none() => {
            Some((kind.as_str(), message.as_str()))
        }
        _ => None,
    })
}

/// A text of an execution's record: `outcome`, `reason`, `state`.
pub fn recorded(aws: &Aws, execution: &str, name: &str) -> Option<String> {
    text(&record(aws, execution)?, name).map(ToOwned::to_owned)
}

pub fn is_closed(aws: &Aws, execution: &str) -> bool {
    recorded(aws, execution, "state").as_deref() == Some("closed")
}

/// What DescribeServices returns about a service.
///
/// # Panics
/// When there is no such service.
pub fn service(aws: &Aws, cluster: &str, name: &str) -> Value {
    ecs::description(aws, cluster, name).expect("the service is there")
}

/// What a release may change in ECS: of each service its deployments, sizes and bounds; and every
/// task definition.
pub fn ecs_state(aws: &Aws) -> Value {
    let services = aws.ecs.services.values().map(|found| {
        let seen = service(aws, &found.cluster, &found.name);
        let deployments = found
            .deployments
            .iter()
            .map(|deployment| &deployment.id)
            .collect::<Vec<_>>();

        json!([
            found.name,
            seen["taskDefinition"],
            seen["desiredCount"],
            seen["deploymentConfiguration"],
            deployments
        ])
    });
    json!({
        "services": services.collect::<Vec<_>>(),
        "definitions": aws.ecs.definition_arns().collect::<Vec<_>>(),
    })
}

/// Calls from `since` on that changed something. Reports of jobs are not among them.
pub fn writes(aws: &Aws, since: usize) -> Vec<String> {
    let is_report = |call: &Call| call.operation.starts_with("PutJob");
    aws.calls[since..]
        .iter()
        .filter(|call| call.error.is_none() && !call.is_read() && !is_report(call))
        .map(|call| format!("{} of {}", call.operation, call.caller))
        .collect()
}

/// A request of RegisterTaskDefinition without the two tags of its mark, and the execution in the
/// mark, if it has one.
pub fn without_mark(request: &Value) -> (Value, Option<String>) {
    let mut request = request.clone();
    let Some(tags) = request["tags"].as_array().cloned() else {
        request
            .as_object_mut()
            .expect("an object")
            .shift_remove("tags");
        return (request, None);
    };

    let (mark, kept): (Vec<_>, Vec<_>) = tags.into_iter().partition(|tag| {
        ["slipway:execution", "slipway:sent"]
            .iter()
            .any(|key| tag["key"] == *key)
    });
    let execution = mark
        .iter()
        .find(|tag| tag["key"] == "slipway:execution")
        .and_then(|tag| tag["value"].as_str());

    if kept.is_empty() {
        request
            .as_object_mut()
            .expect("an object")
            .shift_remove("tags");
    } else {
        request["tags"] = kept.into();
    }
    (request, execution.map(ToOwned::to_owned))
}

/// The capacity provider of [`use_capacity_provider`], with this status of its managed scaling.
pub fn add_capacity_provider(aws: &mut Aws, managed_scaling: &str) {
    let group = "arn:aws:autoscaling:eu-west-1:111122223333:autoScalingGroup:1:\
        autoScalingGroupName/spare";
    let provider = json!({
        "name": "spare",
        "autoScalingGroupProvider": {
            "autoScalingGroupArn": group, "managedScaling": {"status": managed_scaling},
        },
    });
    ecs::call(aws, "CreateCapacityProvider", &provider).expect("legal");
}

/// Moves a service from its launch type to a capacity provider, which starts a deployment.
pub fn use_capacity_provider(aws: &mut Aws, service: &str) {
    let strategy = json!([{"capacityProvider": "spare", "weight": 1}]);
    let moved = json!({
        "cluster": CLUSTER, "service": service, "capacityProviderStrategy": strategy,
    });
    ecs::call(aws, "UpdateService", &moved).expect("legal");
}

/// The ledger's table.
pub fn ledger_table(aws: &Aws) -> String {
    let stack = aws
        .cloudformation
        .stack(FUNCTIONS_STACK)
        .expect("the functions' stack");
    stack
        .resource("LedgerTable")
        .expect("the stack has a ledger")
        .physical_id
        .clone()
}

/// A zip file of one file.
pub fn zipped(name: &str, text: &[u8]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    archive
        .start_file(name, SimpleFileOptions::default())
        .expect("a new archive takes a file");
    archive.write_all(text).expect("memory takes bytes");

    archive
        .finish()
        .expect("an archive with one file")
        .into_inner()
}

/// The bucket of reports.
pub fn reports_bucket(aws: &Aws) -> String {
    let stack = aws
        .cloudformation
        .stack(FUNCTIONS_STACK)
        .expect("the functions' stack");
    stack
        .resource("ReportsBucket")
        .expect("the stack has a bucket for reports")
        .physical_id
        .clone()
}

/// Lets this much time pass.
pub async fn pass(driver: &Driver, time: Duration) {
    let ended = driver.until(time, &mut |_| Ok(()), |_| false).await;
    ended.expect_err("nothing is waited for");
}

/// Lets time pass until `done` is true.
pub async fn until(driver: &Driver, done: impl Fn(&Aws) -> bool) {
    driver
        .until(LIMIT, &mut |_| Ok(()), done)
        .await
        .expect("it happens in time");
}

/// The account with `web` released once by its pipeline, so that there is something to return to.
pub fn released() -> Aws {
    static RELEASED: OnceLock<Aws> = OnceLock::new();
    let release = || {
        run(account(), Fault::None, async |driver| {
            let pushed = push(&driver, WEB, "1.0.0");
            let execution = settled(&driver, "slipway-web", &pushed).await;
            assert_eq!(outcome(&driver, &execution), "deployed");
            driver.world.snapshot()
        })
    };
    RELEASED.get_or_init(release).clone()
}

/// Pushes a healthy image, and returns its digest.
pub fn push(driver: &Driver, repository: &str, tag: &str) -> String {
    push_as(driver, repository, tag, Behaviour::Healthy)
}

/// Pushes an image, and returns its digest.
///
/// # Panics
/// When there is no such repository.
pub fn push_as(driver: &Driver, repository: &str, tag: &str, behaviour: Behaviour) -> String {
    let pushed = ecr::push(&mut driver.world.aws(), repository, tag, behaviour);
    driver.world.touch();
    pushed.expect("the repository is there")
}

/// Gives an image, by its digest or one of its tags, another tag.
///
/// # Panics
/// When there is no such image.
pub fn retag(driver: &Driver, repository: &str, image: &str, tag: &str) {
    let put = ecr::retag(&mut driver.world.aws(), repository, image, tag);
    driver.world.touch();
    put.expect("the image is there");
}

/// An operator stops an execution and abandons its actions.
///
/// # Panics
/// When CodePipeline refuses it.
pub fn stop(driver: &Driver, pipeline: &str, execution: &str) {
    let input = json!({
        "pipelineName": pipeline,
        "pipelineExecutionId": execution,
        "abandon": true,
        "reason": "doubts",
    });
    codepipeline::call(&mut driver.world.aws(), "StopPipelineExecution", &input)
        .expect("it goes on");
    driver.world.touch();
}

/// Lets the release of a digest end and returns its execution.
pub async fn settled(driver: &Driver, pipeline: &str, pushed: &str) -> String {
    let of_push = |aws: &Aws| {
        executions(aws, pipeline)
            .rev()
            .find(|execution| digest(execution) == Some(pushed))
            .map(|execution| (execution.id.clone(), execution.is_over()))
    };
    until(driver, |aws| {
        of_push(aws).is_some_and(|(id, over)| over && is_closed(aws, &id))
    })
    .await;
    of_push(&driver.world.aws()).expect("it was there").0
}

/// Lets the release of a digest end as expected, and returns its execution.
pub async fn ends(driver: &Driver, pipeline: &str, pushed: &str, expected: &str) -> String {
    let execution = settled(driver, pipeline, pushed).await;
    assert_outcome(driver, &execution, expected);
    execution
}

/// Checks how a release ended; a difference is shown with the reason of its end.
///
/// # Panics
/// When it ended otherwise, or has not ended.
#[track_caller]
pub fn assert_outcome(driver: &Driver, execution: &str, expected: &str) {
    let why = reason(driver, execution);
    assert_eq!(outcome(driver, execution), expected, "{why}");
}

/// Lets the newest release of `web` run until its deployment is in progress.
pub async fn in_progress(driver: &Driver, pushed: &str) -> String {
    let image = format!("@{pushed}");
    until(driver, |aws| {
        aws.ecs.service_named(CLUSTER, WEB).is_some_and(|found| {
            let request = aws
                .ecs
                .request_of(&found.primary().expect("a deployment").task_definition);
            found.is_deploying()
                && request.is_some_and(|request| request.to_string().contains(&image))
        })
    })
    .await;
    newest(&driver.world.aws(), "slipway-web").id.clone()
}

pub fn outcome(driver: &Driver, execution: &str) -> String {
    recorded(&driver.world.aws(), execution, "outcome").unwrap_or_default()
}

pub fn reason(driver: &Driver, execution: &str) -> String {
    recorded(&driver.world.aws(), execution, "reason").unwrap_or_default()
}

pub fn image_of(aws: &Aws, name: &str) -> String {
    let runs = &service(aws, CLUSTER, name)["taskDefinition"];
    let request = aws
        .ecs
        .request_of(runs.as_str().expect("an ARN"))
        .expect("registered");

    request["containerDefinitions"][0]["image"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}
