//! The account of a run: the functions from the project's own template, and repositories with a
//! pipeline each, of which a first push is recorded.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use emulator::ecr::{Scan, Scanner};
use emulator::{Aws, cloudformation, codepipeline, ecr, eventbridge};
use harness::demo::root;
use harness::driver::{Fault, run};
use invariants::deliveries::Delivered;
use invariants::ledger_reader::{FUNCTIONS_STACK, digest};
use serde_json::{Value, json};

use super::image::{self, Content, Pushed};
use super::plan::is_scanned;

/// The bucket of the pipelines' artifacts.
const ARTIFACTS: &str = "artifacts";
/// What the tags begin with that are delivered.
pub(super) const PREFIX: &str = "v";
/// Longest that the first pushes may take, in virtual time.
const LIMIT: Duration = Duration::from_secs(600);

/// An account in which each pipeline has been started once.
#[derive(Clone, Debug)]
pub struct Started {
    pub aws: Aws,
    pub delivered: Vec<Delivered>,
    /// What was pushed to each repository.
    pub(super) pushed: Vec<Vec<Pushed>>,
}

/// The account with this many repositories. The same every time.
///
/// # Errors
/// What a template or a service refused.
pub fn started(repositories: usize) -> Result<Started, String> {
    static ACCOUNTS: Mutex<BTreeMap<usize, Started>> = Mutex::new(BTreeMap::new());

    let mut accounts = ACCOUNTS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = accounts.get(&repositories) {
        return Ok(known.clone());
    }
    let made = made(repositories)?;
    accounts.insert(repositories, made.clone());
    Ok(made)
}

fn made(repositories: usize) -> Result<Started, String> {
    let mut aws = Aws::new(repositories as u64);
    let template = root().join("template.yaml");
    cloudformation::deploy(&mut aws, FUNCTIONS_STACK, &template, &BTreeMap::new())
        .map_err(|error| error.to_string())?;
    aws.s3.create_bucket(ARTIFACTS, true);
    disable_rules(&mut aws)?;
    allow_starts(&mut aws);

    let mut delivered = Vec::new();
    for number in 0..repositories {
        let one = delivered_of(number);
        make(&mut aws, &one)?;
        delivered.push(one);
    }
    run(aws, Fault::None, async |driver| {
        let mut pushed = Vec::new();
        for (number, one) in (0..).zip(&delivered) {
            pushed.push(vec![push_first(&mut driver.world.aws(), one, number)?]);
        }
        driver.world.touch();
        let are_started = |aws: &Aws| {
            let executions = aws.codepipeline.executions.iter();
            executions.filter(|it| digest(it).is_some()).count() == repositories
        };
        driver.until(LIMIT, &mut |_| Ok(()), are_started).await?;
        Ok(Started {
            aws: driver.world.snapshot(),
            delivered,
            pushed,
        })
    })
}

/// A third of the repositories are scanned.
fn delivered_of(number: usize) -> Delivered {
    Delivered {
        pipeline: format!("service-{number}"),
        repository: format!("team/service-{number}"),
        prefix: PREFIX,
        is_scanned: is_scanned(number),
    }
}

/// The rules of the functions' own stack: nothing is released, so nothing is to be swept or rolled
/// back.
fn disable_rules(aws: &mut Aws) -> Result<(), String> {
    let names: Vec<String> = aws.events.rules.keys().cloned().collect();
    for name in names {
        call_events(aws, "DisableRule", &json!({ "Name": name }))?;
    }
    Ok(())
}

/// Without deploy roles, which need a service each, the function starts pipelines and reads images
/// itself.
fn allow_starts(aws: &mut Aws) {
    let statement = json!({
        "Effect": "Allow", "Resource": "*",
        "Action": [
            "codepipeline:StartPipelineExecution", "ecr:BatchGetImage", "ecr:DescribeImages",
            "ecr:DescribeImageScanFindings",
        ],
    });
    let document = json!({"Version": "2012-10-17", "Statement": [statement]});
    for function in aws.lambda.functions.values() {
        let role = function.role.rsplit('/').next().unwrap_or_default();
        if let Some(role) = aws.cloudformation.iam.role_mut(role) {
            role.policies.insert("starts".to_owned(), document.clone());
        }
    }
}

/// Makes a repository, its pipeline and the rules between them, as `infra/pipelines/` has it.
fn make(aws: &mut Aws, one: &Delivered) -> Result<(), String> {
    let Delivered {
        pipeline,
        repository,
        ..
    } = one;
    let created = ecr::call(
        aws,
        "CreateRepository",
        &json!({"repositoryName": repository}),
    );
    created.map_err(|error| error.to_string())?;
    let declaration = json!({ "pipeline": declaration(pipeline, repository) });
    let created = codepipeline::call(aws, "CreatePipeline", &declaration);
    created.map_err(|error| error.to_string())?;

    let pattern = pattern(repository);
    let input = input_of(aws, one);
    let name = format!("slipway-{pipeline}");
    let rule = json!({
        "Name": name, "EventPattern": pattern.to_string(), "ScheduleExpression": "rate(1 hour)",
    });
    put_rule(aws, &rule, &input)?;
    if !one.is_scanned {
        return Ok(());
    }
    let scans = json!({
        "source": ["aws.ecr"], "detail-type": ["ECR Image Scan"],
        "detail": {"repository-name": [repository]},
    });
    let name = format!("slipway-scan-{pipeline}");
    let rule = json!({"Name": name, "EventPattern": scans.to_string()});
    put_rule(aws, &rule, &input)
}

/// What the function gets with an event: the subscription of the pipeline.
fn input_of(aws: &Aws, one: &Delivered) -> String {
    let subscription = json!({
        "pipeline": one.pipeline, "action": "Image", "account": aws.account, "region": aws.region,
        "repository": one.repository, "tag_pattern": format!("{PREFIX}*"),
        "image_gate": if one.is_scanned { "CRITICAL:0" } else { "" },
    });
    format!(r#"{{"subscription":{subscription},"event":<aws.events.event.json>}}"#)
}

/// Makes a rule that forwards events to `start-pipeline`.
fn put_rule(aws: &mut Aws, rule: &Value, input: &str) -> Result<(), String> {
    call_events(aws, "PutRule", rule)?;
    let function = format!("{FUNCTIONS_STACK}-StartPipelineFunctionArn");
    let function = aws.cloudformation.export(&function);
    let function = function.ok_or("the functions' stack exports no start-pipeline")?;
    let target = json!({
        "Id": "start-pipeline", "Arn": function, "InputTransformer": {"InputTemplate": input},
    });
    let targets = json!({"Rule": rule["Name"], "Targets": [target]});
    call_events(aws, "PutTargets", &targets)
}

/// The pushes that a rule forwards.
fn pattern(repository: &str) -> Value {
    json!({
        "source": ["aws.ecr"],
        "detail-type": ["ECR Image Action", "ECR Replication Action"],
        "detail": {
            "action-type": ["PUSH", "REPLICATE"], "result": ["SUCCESS"],
            "repository-name": [repository],
            "image-tag": [{"exists": true}],
        },
    })
}

fn call_events(aws: &mut Aws, operation: &str, input: &Value) -> Result<(), String> {
    let answer = eventbridge::call(aws, operation, input);
    answer.map(drop).map_err(|error| error.to_string())
}

/// A pipeline that takes a digest, and then waits.
fn declaration(pipeline: &str, repository: &str) -> Value {
    let image = json!({
        "name": "Image",
        "actionTypeId": {"category": "Source", "owner": "AWS", "provider": "ECR", "version": "1"},
        "configuration": {"RepositoryName": repository, "ImageTag": "slipway-none"},
        "outputArtifacts": [{"name": "Image"}],
    });
    let wait = json!({
        "name": "Wait",
        "actionTypeId": {
            "category": "Approval", "owner": "AWS", "provider": "Manual", "version": "1",
        },
    });
    json!({
        "name": pipeline,
        "roleArn": "arn:aws:iam::111122223333:role/pipeline",
        "pipelineType": "V2",
        "artifactStore": {"type": "S3", "location": ARTIFACTS},
        "stages": [
            {"name": "Source", "actions": [image]},
            {"name": "Release", "actions": [wait]},
        ],
    })
}

/// The first push, without which a sweep starts nothing. It has passed its scan.
fn push_first(aws: &mut Aws, one: &Delivered, number: u64) -> Result<Pushed, String> {
    let tag = format!("{PREFIX}0.0.0");
    let pushed = image::push(aws, &one.repository, &tag, Content::Image, number)?;
    scan(aws, &one.repository, &pushed.digest, false)?;
    Ok(pushed)
}

/// A scan of an image ends.
pub(super) fn scan(
    aws: &mut Aws,
    repository: &str,
    digest: &str,
    is_critical: bool,
) -> Result<(), String> {
    let found = is_critical.then(|| ("CVE-2026-0001".to_owned(), "CRITICAL"));
    let scan = Scan {
        scanner: Scanner::Basic,
        status: "COMPLETE",
        completed: Some(aws.now),
        findings: found.into_iter().collect(),
    };
    ecr::set_scan(aws, repository, digest, scan).map_err(|error| error.to_string())
}
