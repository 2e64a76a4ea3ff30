//! Runs the same requests through the project's own adapters against any AWS, and prints the
//! results as JSON, one line a case.
//!
//! `answers sandbox` calls the in-memory AWS in this process; `answers endpoint` calls what
//! `AWS_ENDPOINT_URL` names. Both stand on tests/conformance/fixture.json, which the script that
//! starts the other AWS has put there. `answers` is how the conformance checks compare the sandbox
//! with emulators of others.

mod inspect;
mod ledger;

use std::collections::BTreeSet;
use std::io::{Cursor, Write as _};
use std::process::ExitCode;
use std::sync::OnceLock;

use emulator::client::{CallFault, Invocation, sdk_config};
use emulator::{Aws, dynamodb, ecr, ecs};
use harness::driver::{Fault, run};
use serde_json::{Value, json};
use slipway::aws::{
    Artifacts, AwsError, Clusters, Images, ObservedService, Sdk, Services, TaskDefinitions,
};
use slipway::image::ImageReference;
use slipway::job::{
    ActionKind, Artifact, Credentials, Failure, Job, Origin, ReleaseRef, StepError,
};
use slipway::observed::percentages::Percentages;
use slipway::strategy::service_goal::ServiceGoal;
use slipway::task_definition::TaskDefinition;
use slipway::timestamp::Timestamp;
use zip::write::SimpleFileOptions;

use inspect::inspected;
use ledger::{leases, records};

type Failed = Box<dyn std::error::Error>;

const FIXTURE: &str = include_str!("../../../conformance/fixture.json");
const BUCKET: &str = "artifacts";
const REGISTRY: &str = "dkr.ecr.eu-west-1.amazonaws.com";

fn main() -> ExitCode {
    let done = match std::env::args().nth(1).as_deref() {
        Some("sandbox") => in_process(),
        Some("endpoint") => at_endpoint(),
        _ => Err("usage: answers sandbox|endpoint".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn in_process() -> Result<(), Failed> {
    let mut aws = Aws::new(1);
    let fixture: Vec<(String, String, Value)> = serde_json::from_str(FIXTURE)?;

    for (service, operation, input) in &fixture {
        match service.as_str() {
            "ecs" => ecs::call(&mut aws, operation, input)?,
            "ecr" => ecr::call(&mut aws, operation, input)?,
            _ => dynamodb::call(&mut aws, operation, input)?,
        };
    }

    aws.s3.create_bucket(BUCKET, true);
    aws.s3.put(BUCKET, "config.zip", archive()?)?;
    let account = aws.account.clone();

    run(aws, Fault::None, async |driver| {
        let sdk = Sdk::new(
            sdk_config(&driver.world, Invocation::new("operator", CallFault::None)),
            "ledger",
        );
        all(&sdk, &account).await
    })
}

fn at_endpoint() -> Result<(), Failed> {
    let account = std::env::var("ACCOUNT")?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async { all(&slipway::aws::connect().await?, &account).await })
}

fn archive() -> Result<Vec<u8>, Failed> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    archive.start_file("taskdef.json", SimpleFileOptions::default())?;
    archive.write_all(br#"{"family": "web"}"#)?;
    Ok(archive.finish()?.into_inner())
}

fn say(case: &str, answer: &Value) {
    println!("{}", json!({"case": case, "answer": answer}));
}

fn refused(error: &AwsError) -> Value {
    json!({
        "error": error.code,
        "kind": format!("{:?}", error.kind),
        "operation": error.operation,
        "message": error.message,
    })
}

fn stopped(error: &StepError) -> Value {
    match error {
        StepError::Failed(Failure { kind, message, .. })
        | StepError::Refused(Failure { kind, message, .. })
        | StepError::Unexpected(Failure { kind, message, .. }) => {
            json!({"failed": kind, "message": message})
        }
        StepError::Busy(message) | StepError::Frozen(message) => {
            json!({"busy": true, "message": message})
        }
    }
}

async fn all(sdk: &Sdk, account: &str) -> Result<(), Failed> {
    clusters(sdk).await;
    task_definitions(sdk).await?;
    inspected(sdk).await?;
    services(sdk).await;
    images(sdk, account).await?;
    artifacts(sdk).await?;
    leases(sdk).await?;
    records(sdk).await?;

    Ok(())
}

async fn clusters(sdk: &Sdk) {
    for name in ["apps", "nowhere"] {
        let ports = BTreeSet::from([(80, "tcp")]);
        let answer = Clusters::new(sdk).port_instances(name, &[], &ports).await;
        say(
            &format!("instances of cluster {name}"),
            &answer.map_or_else(
                |e| refused(&e),
                |found| json!([found.active, found.taken, found.draining, found.can_grow]),
            ),
        );
    }
}

async fn task_definitions(sdk: &Sdk) -> Result<(), Failed> {
    let definitions = TaskDefinitions::new(sdk);
    let known = |found: Option<(String, TaskDefinition)>| match found {
        Some((arn, definition)) => {
            json!({
                "arn": arn,
                "definition": serde_json::from_str::<Value>(&definition.text()).ok(),
            })
        }
        None => Value::Null,
    };

    for name in ["web", "web:1", "web:9", "strange"] {
        let answer = definitions.describe(name).await;
        say(
            &format!("task definition {name}"),
            &answer.map_or_else(|e| refused(&e), known),
        );
    }

    for (what, definition) in registrations() {
        let answer = definitions
            .register(&TaskDefinition::from_value(without_nulls(definition))?)
            .await;
        say(
            &format!("registration with {what}"),
            &answer.map_or_else(|e| refused(&e), |arn| json!(arn)),
        );
    }

    say(
        "the newest revision",
        &definitions
            .describe("web")
            .await
            .map_or_else(|e| refused(&e), known),
    );
    Ok(())
}

/// Task definitions to register, with what is special about each; ECS accepts the first only.
fn registrations() -> [(&'static str, Value); 4] {
    let definition = |family: &str, image: &str, essential: bool| {
        json!({"family": family, "networkMode": "bridge", "containerDefinitions":
            [{"name": "web", "image": image, "memory": 128, "cpu": 64, "essential": essential,
              "environment": [{"name": "COLOUR", "value": "teal"}]}]})
    };
    let mut no_memory = definition("wrong", "nginx:3", true);
    no_memory["containerDefinitions"][0]["memory"].take();

    let mut strange_network = definition("wrong", "nginx:3", true);
    strange_network["networkMode"] = json!("carrier-pigeon");

    [
        ("a new image", definition("web", "nginx:2", true)),
        ("nothing essential", definition("wrong", "nginx:3", false)),
        ("no memory", no_memory),
        ("a strange network mode", strange_network),
    ]
}

fn without_nulls(mut definition: Value) -> Value {
    if let Some(container) = definition["containerDefinitions"][0].as_object_mut() {
        container.retain(|_, value| !value.is_null());
    }
    definition
}

async fn services(sdk: &Sdk) {
    let services = Services::new(sdk);
    for (cluster, service) in [("apps", "unknown"), ("nowhere", "web"), ("apps", "web")] {
        let answer = services.describe(cluster, service).await;
        say(&format!("service {service} in {cluster}"), &seen(answer));
    }

    say(
        "the service with its targets",
        &seen(services.observe("apps", "web").await),
    );
    let reasons = services.stop_reasons("apps", "web", "web:1").await;
    say(
        "why tasks stopped",
        &reasons.map_or_else(|e| refused(&e), |reasons| json!(reasons)),
    );
    let Ok(Some(observed)) = services.describe("apps", "web").await else {
        return;
    };

    let to = |task_definition| ServiceGoal {
        task_definition: Some(task_definition),
        percentages: Percentages {
            minimum_healthy: 100,
            maximum: 200,
        },
        early_success: None,
        desired: None,
    };
    let strange = services.apply(&observed, &to("strange:7")).await;
    say(
        "an update to a strange task definition",
        &strange.map_or_else(|e| refused(&e), |id| json!(id)),
    );

    let updated = services.apply(&observed, &to("web:2")).await;
    say(
        "an update",
        &updated.map_or_else(|e| refused(&e), |id| json!(id)),
    );
    say(
        "the updated service",
        &seen(services.describe("apps", "web").await),
    );
}

fn seen(answer: Result<Option<ObservedService>, AwsError>) -> Value {
    let view = match answer {
        Ok(Some(observed)) => observed.view,
        Ok(None) => return Value::Null,
        Err(error) => return refused(&error),
    };
    let deployments: Vec<Value> = view
        .deployments
        .iter()
        .map(|d| {
            json!({
                "id": d.id, "primary": d.primary, "task_definition": d.task_definition,
                "rollout": format!("{:?}", d.rollout),
                "desired": d.desired, "running": d.running, "failed_tasks": d.failed_tasks,
            })
        })
        .collect();

    json!({
        "status": view.status, "desired": view.desired, "running": view.running,
        "pending": view.pending, "percentages": view.percentages,
        "scheduling": format!("{:?}", view.scheduling), "controller": view.controller,
        "strategy": view.strategy, "deployments": deployments,
    })
}

async fn images(sdk: &Sdk, account: &str) -> Result<(), Failed> {
    let unknown = format!("web@sha256:{}", "0a".repeat(32));
    for image in ["web:1.0.0", "web:9.9.9", "web", "nothing:1", &unknown] {
        let reference = ImageReference::parse(&format!("{account}.{REGISTRY}/{image}"))?;
        let answer = Images::new(sdk).resolve(&reference).await;
        say(
            &format!("image {image}"),
            &answer.map_or_else(|e| stopped(&e), |image| json!(image.to_string())),
        );
    }
    Ok(())
}

async fn artifacts(sdk: &Sdk) -> Result<(), Failed> {
    let now = Timestamp::from_secs(1_767_603_600)?;
    let artifact = |name: &str, key: &str| Artifact {
        name: name.to_owned(),
        bucket: BUCKET.to_owned(),
        key: key.to_owned(),
    };
    let artifacts = vec![
        artifact("Config", "config.zip"),
        artifact("Gone", "gone.zip"),
    ];
    let credentials = Credentials {
        access_key_id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
        secret_access_key: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned(),
        session_token: "an example, not a token".to_owned(),
    };
    let job = Job {
        id: None,
        release: ReleaseRef::new("slipway-web", "e-1", "apps", "web"),
        parameters: (),
        since: now,
        now,
        kind: ActionKind::Invoke,
        frozen: None,
        refused_for_long: false,
        payload: None,
        kept: OnceLock::new(),
        artifacts,
        credentials: Some(credentials),
        origin: Origin::Job,
    };

    for file in [
        "Config::taskdef.json",
        "Config::other.json",
        "Gone::taskdef.json",
    ] {
        let answer = Artifacts::new(sdk, &job).read(file).await;
        let text = |bytes: Vec<u8>| json!(String::from_utf8_lossy(&bytes));
        say(
            &format!("artifact {file}"),
            &answer.map_or_else(|e| stopped(&e), text),
        );
    }
    Ok(())
}
