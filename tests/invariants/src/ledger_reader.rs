//! The account seen from outside, for the demo, its pictures and its invariants: raw state, read
//! without any code of the functions, so that a mistake there is not repeated here.

use serde_json::{Value, json};

use emulator::Aws;
use emulator::codepipeline::{Execution, Pipeline};
use emulator::ecs::{Service, Task};

/// The events of an image that arrives in a repository.
const ARRIVALS: [&str; 2] = ["ECR Image Action", "ECR Replication Action"];

/// The functions' stack.
pub const FUNCTIONS_STACK: &str = "slipway";

/// The name of the ledger's table, if the functions are deployed.
#[must_use]
pub fn table(aws: &Aws) -> Option<&str> {
    let stack = aws.cloudformation.stack(FUNCTIONS_STACK)?;
    let table = stack.resource("LedgerTable")?;
    Some(&table.physical_id)
}

/// Items of the ledger in DynamoDB's JSON.
#[must_use]
pub fn ledger(aws: &Aws) -> Vec<Value> {
    table(aws)
        .map(|table| aws.dynamodb.items(table))
        .unwrap_or_default()
}

/// The item of the ledger with a key, both in DynamoDB's JSON.
#[must_use]
pub fn item(aws: &Aws, key: &Value) -> Option<Value> {
    aws.dynamodb.item(table(aws)?, key)
}

/// A text member of an item, by path: `release.execution`.
#[must_use]
pub fn text<'a>(item: &'a Value, path: &str) -> Option<&'a str> {
    let mut value = item.get(path.split('.').next()?)?;
    for name in path.split('.').skip(1) {
        value = value.get("M")?.get(name)?;
    }
    value.get("S")?.as_str()
}

/// Whether a flag of an item is set; one that the item does not have is not.
#[must_use]
pub fn flag(item: &Value, name: &str) -> bool {
    item[name]["BOOL"].as_bool().unwrap_or(false)
}

/// The claim of a digest by a pipeline; `newest` is beside them.
#[must_use]
pub fn claim(aws: &Aws, pipeline: &str, digest: &str) -> Option<Value> {
    let key = json!({"pk": {"S": format!("push#{pipeline}")}, "sk": {"S": digest}});
    item(aws, &key)
}

/// The releases of an execution before its last one, which its record is of.
pub fn earlier_releases(record: &Value) -> impl DoubleEndedIterator<Item = &Value> {
    let earlier = record.pointer("/earlier/L").and_then(Value::as_array);
    earlier.into_iter().flatten().filter_map(|it| it.get("M"))
}

/// The record of an execution.
#[must_use]
pub fn record(aws: &Aws, execution: &str) -> Option<Value> {
    item(
        aws,
        &json!({"pk": {"S": format!("execution#{execution}")}, "sk": {"S": "record"}}),
    )
}

/// The execution that holds the lease of a service.
#[must_use]
pub fn holder(aws: &Aws, cluster: &str, service: &str) -> Option<String> {
    let lease = item(
        aws,
        &json!({"pk": {"S": "lease"}, "sk": {"S": format!("{cluster}/{service}")}}),
    );
    lease.and_then(|lease| text(&lease, "release.execution").map(ToOwned::to_owned))
}

/// Executions of a pipeline, oldest first.
pub fn executions<'a>(
    aws: &'a Aws,
    pipeline: &str,
) -> impl DoubleEndedIterator<Item = &'a Execution> {
    aws.codepipeline
        .executions
        .iter()
        .filter(move |execution| execution.pipeline == pipeline)
}

/// A digest that got a tag in a repository that a pipeline delivers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    pub pipeline: String,
    pub digest: String,
    /// The time of the event, to the second.
    pub time: String,
}

/// Pipelines with the digests that were pushed or replicated, with a tag, to the repository that
/// they deliver.
#[must_use]
pub fn pushed(aws: &Aws) -> Vec<(String, String)> {
    let arrivals = arrivals(aws).into_iter();
    arrivals
        .map(|arrival| (arrival.pipeline, arrival.digest))
        .collect()
}

/// The same with their times, in the order of Amazon ECR.
#[must_use]
pub fn arrivals(aws: &Aws) -> Vec<Arrival> {
    let pushes = aws
        .events
        .events
        .iter()
        .filter(|event| ARRIVALS.iter().any(|kind| event["detail-type"] == *kind));
    let tagged = pushes.filter(|event| {
        event["detail"]["image-tag"]
            .as_str()
            .is_some_and(|tag| !tag.is_empty())
    });
    let arrived = tagged.filter_map(|event| {
        let detail = &event["detail"];
        Some((
            detail["repository-name"].as_str()?,
            detail["image-digest"].as_str()?,
            event["time"].as_str()?,
        ))
    });
    arrived
        .flat_map(|(repository, digest, time)| {
            let pipelines = aws.codepipeline.pipelines.values();
            pipelines
                .filter(move |pipeline| delivers(pipeline, repository))
                .map(move |pipeline| Arrival {
                    pipeline: pipeline.name.clone(),
                    digest: digest.to_owned(),
                    time: time.to_owned(),
                })
        })
        .collect()
}

/// Whether a repository is the source of a pipeline.
fn delivers(pipeline: &Pipeline, repository: &str) -> bool {
    let stages = pipeline.declaration.stages.iter();
    let mut actions = stages.flat_map(|stage| &stage.actions);
    actions.any(|action| {
        let source = action.configuration.get("RepositoryName");
        source.is_some_and(|name| name == repository)
    })
}

/// The digest that an execution was started with.
#[must_use]
pub fn digest(execution: &Execution) -> Option<&str> {
    revision(execution, "IMAGE_DIGEST")
}

/// The commit that an execution was started with.
#[must_use]
pub fn commit(execution: &Execution) -> Option<&str> {
    revision(execution, "COMMIT_ID")
}

fn revision<'a>(execution: &'a Execution, kind: &str) -> Option<&'a str> {
    let mut revisions = execution.source_revisions.iter();
    let found = revisions.find(|revision| revision.kind == kind);
    found.map(|revision| revision.value.as_str())
}

/// Tasks of a service that serve now.
pub fn serving<'a>(aws: &'a Aws, service: &'a Service) -> impl Iterator<Item = &'a Task> {
    aws.ecs
        .tasks_of(&service.arn)
        .filter(|task| task.is_running() && task.healthy)
}
