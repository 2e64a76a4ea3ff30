//! The account of a burst: subscriptions whose first push is recorded, and a service behind each
//! pipeline that gets a push.

use std::time::Duration;

use emulator::client::{Invocation, sdk_config};
use emulator::codepipeline::Execution;
use emulator::ecs::Service;
use emulator::{Aws, Millis, Quotas, ecs};
use harness::demo::CLUSTER;
use harness::driver::{Driver, Fault, run};
use invariants::deliveries::Delivered;
use invariants::ledger_reader::{FUNCTIONS_STACK, table};
use serde_json::{Value, json};
use slipway::aws::{Ledger, Sdk};
use slipway::limits::FORMAT_VERSION;
use slipway::release::{NewestPush, Push};
use slipway::timestamp::Timestamp;

use super::play::Load;
use crate::delivery::{self, PREFIX};
use crate::pushes::image::{self, Content};

/// The action that registers a task definition.
pub(super) const REGISTER: &str = "register-task-definition";
/// What the functions may do besides, to start pipelines and to register task definitions.
const ACTIONS: [&str; 7] = [
    "application-autoscaling:*",
    "cloudwatch:*",
    "codepipeline:*",
    "ecr:*",
    "ecs:*",
    "elasticloadbalancing:*",
    "iam:PassRole",
];
const EXECUTION_ROLE: &str = "arn:aws:iam::111122223333:role/ecsTaskExecutionRole";
/// Rules of others, beside one for each subscription.
const OTHER_RULES: usize = 300;
/// Longest that the services may take to become steady, in virtual time.
const STEADY: Duration = Duration::from_secs(3_600);
/// ECS lets a task definition be registered every second.
const REGISTRATION: Millis = 1_000;
/// The period of the sweeps, over which the subscriptions are spread.
const PERIOD: Millis = 3_600_000;

/// An account and what its pipelines deliver.
pub(super) struct Account {
    pub(super) aws: Aws,
    pub(super) delivered: Vec<Delivered>,
}

/// A subscription with its first push.
struct First {
    one: Delivered,
    digest: String,
    pushed_at: Millis,
}

/// Makes the account. Rules come last, so that no event of the beginning is compared with them.
pub(super) fn made(load: Load) -> Result<Account, String> {
    let mut aws = delivery::account(1, &ACTIONS)?;
    aws.quotas = Quotas {
        rules: load.subscriptions + OTHER_RULES,
        pipelines: load.subscriptions,
        ..Quotas::default()
    };
    let cluster = json!({"clusterName": CLUSTER});
    ecs::call(&mut aws, "CreateCluster", &cluster).map_err(|error| error.to_string())?;

    let mut firsts = Vec::new();
    for number in 0..load.subscriptions {
        let first = make(&mut aws, number)?;
        if number < load.pushes {
            make_service(&mut aws, &first)?;
        }
        firsts.push(first);
    }

    let mut aws = run(aws, Fault::None, async |driver| {
        let is_steady = |aws: &Aws| !aws.ecs.services.values().any(Service::is_deploying);
        driver.until(STEADY, &mut |_| Ok(()), is_steady).await?;
        record(&driver, &firsts).await?;
        Ok::<_, String>(driver.world.take())
    })?;

    for (number, First { one, .. }) in firsts.iter().enumerate() {
        let is_pushed = number < load.pushes;
        let actions = if is_pushed { actions(one) } else { Vec::new() };
        delivery::make_pipeline(&mut aws, one, &actions)?;
    }
    // The first execution of a pipeline has no image, and fails.
    let mut aws = run(aws, Fault::None, async |driver| {
        let are_over = |aws: &Aws| aws.codepipeline.executions.iter().all(Execution::is_over);
        driver.until(STEADY, &mut |_| Ok(()), are_over).await?;
        Ok::<_, String>(driver.world.take())
    })?;

    // The pipelines were made at any time, so that their sweeps do not come together.
    let began = aws.now;
    for (number, First { one, .. }) in (0..).zip(&firsts) {
        aws.now = began + number * PERIOD / load.subscriptions as Millis;
        delivery::subscribe(&mut aws, one)?;
    }
    let delivered = firsts.into_iter().map(|first| first.one).collect();
    Ok(Account { aws, delivered })
}

/// Makes a repository and pushes its first image.
fn make(aws: &mut Aws, number: usize) -> Result<First, String> {
    let one = Delivered {
        pipeline: format!("service-{number}"),
        repository: format!("team/service-{number}"),
        prefix: PREFIX,
        is_scanned: false,
    };
    delivery::make_repository(aws, &one)?;
    let tag = format!("{PREFIX}0.0.0");
    let pushed = image::push(aws, &one.repository, &tag, Content::Image, number as u64)?;
    Ok(First {
        one,
        digest: pushed.digest,
        pushed_at: aws.now,
    })
}

/// Makes a service that runs the first image.
fn make_service(aws: &mut Aws, first: &First) -> Result<(), String> {
    let Delivered {
        pipeline,
        repository,
        ..
    } = &first.one;
    let registry = format!("{}.dkr.ecr.{}.amazonaws.com", aws.account, aws.region);
    let image = format!("{registry}/{repository}@{}", first.digest);
    let definition = json!({
        "family": pipeline, "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"],
        "cpu": "256", "memory": "512", "executionRoleArn": EXECUTION_ROLE,
        "containerDefinitions": [{"name": "app", "image": image, "essential": true}],
    });
    let service = json!({
        "cluster": CLUSTER, "serviceName": pipeline, "taskDefinition": pipeline,
        "desiredCount": 1, "launchType": "FARGATE",
        "networkConfiguration": {"awsvpcConfiguration": {
            "subnets": ["subnet-0a1b2c3d"], "securityGroups": ["sg-0a1b2c3d"],
        }},
    });
    for (operation, input) in [
        ("RegisterTaskDefinition", &definition),
        ("CreateService", &service),
    ] {
        ecs::call(aws, operation, input).map_err(|error| error.to_string())?;
    }
    aws.now += REGISTRATION;
    Ok(())
}

/// Records the first pushes as if each had led to an execution: a sweep starts nothing before.
async fn record(driver: &Driver, firsts: &[First]) -> Result<(), String> {
    let caller = format!("{FUNCTIONS_STACK}-roll-back");
    let invocation = Invocation::of_attempt(None, caller, Vec::new());
    let config = sdk_config(&driver.world, invocation);
    let table = table(&driver.world.aws()).unwrap_or_default().to_owned();
    let ledger = Ledger::new(&Sdk::new(config, &table));
    for First {
        one,
        digest,
        pushed_at,
    } in firsts
    {
        let at = Timestamp::from_secs(pushed_at.div_euclid(1_000));
        let at = at.map_err(|error| error.to_string())?;
        let claim = Push {
            v: FORMAT_VERSION,
            pipeline: one.pipeline.clone(),
            digest: digest.clone(),
            tag: Some(format!("{PREFIX}0.0.0")),
            event: "first".to_owned(),
            pushed_at: Some(at),
            claimed_at: at,
            execution: Some("first".to_owned()),
            refusal: None,
            waiting: None,
            expires_at: None,
        };
        let newest = NewestPush {
            v: FORMAT_VERSION,
            pipeline: one.pipeline.clone(),
            digest: digest.clone(),
            event: claim.event.clone(),
            pushed_at: at,
            claimed_at: at,
            restarting: None,
        };
        let written = ledger.put_push(None, &claim).await;
        written.map_err(|error| error.to_string())?;
        let written = ledger.put_newest_push(None, &newest).await;
        written.map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// The actions of a release up to its registration, as `infra/pipelines/in-place.yaml` has them.
fn actions(one: &Delivered) -> Vec<Value> {
    let begin = json!({
        "containers": ["app"], "digest": "#{Image.ImageDigest}",
        "image": "Image::imageDetail.json", "strategy": "rolling",
    });
    let register = json!({"images": {"app": "#{Image.ImageURI}"}});
    vec![
        action(one, 1, "begin-release", begin),
        action(one, 2, REGISTER, register),
    ]
}

/// An action with its own parameters and those of every step.
fn action(one: &Delivered, order: usize, step: &str, mut parameters: Value) -> Value {
    for (name, value) in [
        ("pipeline", one.pipeline.as_str()),
        ("execution", "#{codepipeline.PipelineExecutionId}"),
        ("cluster", CLUSTER),
        ("service", one.pipeline.as_str()),
    ] {
        parameters[name] = json!(value);
    }
    json!({
        "name": step, "runOrder": order, "inputArtifacts": [{"name": "Image"}],
        "actionTypeId": {
            "category": "Invoke", "owner": "AWS", "provider": "Lambda", "version": "1",
        },
        "configuration": {
            "FunctionName": format!("{FUNCTIONS_STACK}-{step}"),
            "UserParameters": parameters.to_string(),
        },
    })
}
