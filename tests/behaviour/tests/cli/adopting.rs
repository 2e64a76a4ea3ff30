//! What `init` writes for a live service: its template takes the parameters, and the pipeline that
//! they make releases.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use emulator::cloudformation::{Stack, delete, deploy};
use emulator::codepipeline::Execution;
use emulator::ecr::{self, Behaviour};
use emulator::{Aws, ecs};
use harness::demo::{CLUSTER, root};
use harness::driver::{Driver, Fault, run};
use serde_json::{Value, json};
use slipway::release::Outcome;
use slipway_cli::{Answer, Exit, Failed, Init, Look, Plan, ReleaseStrategy, ServiceName, Session};

use behaviour::pair::SHORT;
use behaviour::{account, push_as, until, writes};

use crate::{closed, field, operate};

/// The command for a service, which writes over what an earlier run of the tests left.
pub(crate) fn init(service: &str, folder: &str) -> Init {
    let output = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("cli-init-{folder}"));
    std::fs::create_dir_all(&output).expect("a folder");
    Init {
        from_service: ServiceName {
            cluster: CLUSTER.to_owned(),
            service: service.to_owned(),
        },
        green: None,
        strategy: None,
        container: None,
        repository: None,
        rule: None,
        output,
        force: true,
    }
}

/// The same for a service that runs the placeholder of `infra/service.yaml`.
pub(crate) fn init_with_placeholder(service: &str, repository: &str, folder: &str) -> Init {
    Init {
        repository: Some(repository.to_owned()),
        ..init(service, folder)
    }
}

/// Lets time pass until no service or stack is deployed and no pipeline runs.
fn steady(aws: Aws) -> Aws {
    run(aws, Fault::None, async |driver| {
        until(&driver, |aws| {
            let mut services = aws.ecs.services.values();
            services.all(|service| !service.is_deploying())
                && aws.codepipeline.executions.iter().all(Execution::is_over)
                && !aws.cloudformation.stacks().any(Stack::is_in_progress)
        })
        .await;
        driver.world.snapshot()
    })
}

/// The account without a pipeline for one of its services.
fn without_pipeline(stack: &str) -> Aws {
    let mut aws = account();
    delete(&mut aws, stack).expect("nothing imports from it");
    run(aws, Fault::None, async |driver| {
        until(&driver, |aws| aws.cloudformation.stack(stack).is_none()).await;
        driver.world.snapshot()
    })
}

/// A service on Fargate without a load balancer, as a script makes it.
fn with_plain_service() -> Aws {
    let mut aws = account();
    let repository = json!({"repositoryName": "billing"});
    ecr::call(&mut aws, "CreateRepository", &repository).expect("a new repository");
    let pushed = ecr::push(&mut aws, "billing", "0.9.0", Behaviour::Healthy);
    pushed.expect("the repository is there");
    let definition = json!({
        "family": "billing", "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"],
        "cpu": "256", "memory": "512",
        "executionRoleArn": "arn:aws:iam::111122223333:role/billing-execution",
        "containerDefinitions": [{
            "name": "billing", "essential": true,
            "image": "111122223333.dkr.ecr.eu-west-1.amazonaws.com/billing:0.9.0",
        }],
    });
    ecs::call(&mut aws, "RegisterTaskDefinition", &definition).expect("legal");
    let network = json!({"awsvpcConfiguration": {
        "subnets": ["subnet-0a1b2c3d"], "securityGroups": ["sg-0a1b2c3d"],
    }});
    let service = json!({
        "cluster": CLUSTER, "serviceName": "billing", "taskDefinition": "billing:1",
        "desiredCount": 2, "launchType": "FARGATE", "networkConfiguration": network,
        "schedulingStrategy": "REPLICA",
        "deploymentConfiguration": {"maximumPercent": 200, "minimumHealthyPercent": 100},
        "availabilityZoneRebalancing": "DISABLED",
    });
    ecs::call(&mut aws, "CreateService", &service).expect("legal");
    steady(aws)
}

/// The answer to a command, which called nothing that changes anything.
fn written(aws: &Aws, init: &Init) -> Answer {
    let since = aws.calls.len();
    let (answer, after) = operate(aws.clone(), async |driver: Driver, session: Session| {
        let answer = init.run(&session).await.expect("an answer");
        (answer, driver.world.snapshot())
    });
    let changes = writes(&after, since);
    let own: Vec<&String> = changes
        .iter()
        .filter(|call| call.ends_with(" of operator"))
        .collect();
    assert!(own.is_empty(), "{own:?}");
    answer
}

/// The parameters in the file that the answer names.
fn parameters(answer: &Answer) -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(field(answer, "parameters")).expect("a file");
    let value: Value = serde_json::from_str(&text).expect("JSON");
    let items = value.as_array().expect("a list").iter();
    let named = items.map(|item| {
        let member = |name: &str| item[name].as_str().expect("text").to_owned();
        assert_eq!(item.as_object().map(serde_json::Map::len), Some(2));
        (member("ParameterKey"), member("ParameterValue"))
    });
    named.collect()
}

/// Makes the stack, with the parameters of the file and these besides.
fn adopted(mut aws: Aws, answer: &Answer, more: &[(&str, &str)]) -> Aws {
    let text = |name: &str| answer.json[name].as_str().expect("text").to_owned();
    let mut given = parameters(answer);
    let more = more.iter();
    given.extend(more.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    let template = root().join(text("template"));
    deploy(&mut aws, &text("stack"), &template, &given).expect("the template takes them");
    steady(aws)
}

/// The checks of a tree that are NG, with their groups.
fn ng(tree: &Value) -> Vec<String> {
    let groups = tree["checks"].as_array().expect("groups").iter();
    let checks = groups.flat_map(|group| {
        let checks = group["checks"].as_array().expect("checks").iter();
        let ng = checks.filter(|check| check["state"] == "NG");
        ng.map(move |check| format!("{} {}", group["name"], check["name"]))
    });
    checks.collect()
}

/// That the pipeline finds what `init` found, and that it deploys a pushed image.
fn assert_releases(aws: Aws, answer: &Answer, repository: &str) {
    operate(aws, async |driver: Driver, session: Session| {
        let plan = Plan {
            target: field(answer, "pipeline"),
            image: None,
        };
        let planned = plan.run(&session).await.expect("an answer");
        let tree = &planned.json["releases"][0]["checks"];
        assert_eq!(ng(tree), ng(&answer.json["checks"]));

        let pushed = push_as(&driver, repository, "1.0.0", Behaviour::Healthy);
        let record = closed(&session, &pushed).await;
        assert_eq!(
            record.outcome,
            Some(Outcome::Deployed),
            "{:?}",
            record.reason
        );
        let aws = driver.world.aws();
        assert!(aws.iam.denials.is_empty(), "{:?}", aws.iam.denials);
    });
}

#[test]
fn a_plain_service_is_adopted_with_what_was_written() {
    let aws = with_plain_service();
    let answer = written(&aws, &init("billing", "plain"));
    let expected = [
        ("PipelineName", "slipway-billing"),
        ("Cluster", "apps"),
        ("Service", "billing"),
        ("Repository", "billing"),
        ("ContainerName", "billing"),
        ("Strategy", "rolling"),
    ];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(parameters(&answer), BTreeMap::from(expected));
    assert_eq!(answer.exit, Exit::NotDeployed, "its circuit breaker is off");
    let text = answer.text(Look::Pipe);
    assert!(
        text.contains("NG\tservice billing, circuit-breaker\toff: "),
        "{text}"
    );

    let file = field(&answer, "notes");
    let notes = std::fs::read_to_string(&file).expect("a file");
    let parameters = field(&answer, "parameters");
    for part in [
        "# Adopt `apps/billing`\n",
        "- **service billing, circuit-breaker**: off: ",
        "- **service billing, controller**: ECS\n",
        &format!("--parameter-overrides file://{parameters}\n"),
        &format!("--parameters file://{parameters}\n"),
        "slipway plan slipway-billing\n",
        "delete-stack --region eu-west-1 --stack-name billing-pipeline\n",
    ] {
        assert!(notes.contains(part), "no {part} in:\n{notes}");
    }
    assert_releases(adopted(aws, &answer, &[]), &answer, "billing");
}

#[test]
fn a_service_behind_a_balancer_is_adopted_with_the_strategy_that_is_requested() {
    let aws = without_pipeline("web-pipeline");
    let mut command = init_with_placeholder("web", "web", "balanced");
    command.strategy = Some(ReleaseStrategy::Doubling);
    let answer = written(&aws, &command);
    let given = parameters(&answer);
    assert_eq!(given["Strategy"], "doubling");
    assert_eq!(given["ContainerName"], "web");
    assert_releases(adopted(aws, &answer, &[]), &answer, "web");
}

#[test]
fn a_pair_is_adopted_with_its_rule_and_its_scalable_targets() {
    let aws = without_pipeline("shop-pipeline");
    for named in ["shop", "shop-green"] {
        let answer = written(&aws, &init_with_placeholder(named, "shop", named));
        let given = parameters(&answer);
        assert_eq!(given["Service"], "shop");
        assert_eq!(given["Rule"], behaviour::pair::rule(&aws));
        assert_eq!(given["ScalableTargetArns"].split(',').count(), 2);
        assert!(!given.contains_key("BlueService"), "{given:?}");
        assert!(!given.contains_key("Strategy"), "{given:?}");
        if named == "shop" {
            let adopted = adopted(aws.clone(), &answer, &SHORT);
            assert_releases(adopted, &answer, "shop");
        }
    }
}

#[test]
fn the_services_of_a_pair_are_named_if_their_names_do_not_follow_from_its_own() {
    let mut command = init_with_placeholder("shop-blue", "shop", "green");
    command.green = Some("shop-green".to_owned());
    command.strategy = Some(ReleaseStrategy::Canary);
    let answer = written(&account(), &command);
    assert_eq!(answer.json["template"], "infra/pipelines/canary.yaml");
    let given = parameters(&answer);
    let names = ["Service", "BlueService", "GreenService"].map(|name| given[name].as_str());
    assert_eq!(names, ["shop-blue", "shop-blue", "shop-green"]);
}

#[test]
fn tasks_with_fixed_ports_of_their_instances_make_room() {
    let command = init_with_placeholder("page-counter", "page-counter", "ports");
    let answer = written(&account(), &command);
    assert_eq!(parameters(&answer)["Strategy"], "make-room");
}

/// The refusal of a command, which has written nothing.
fn refused(aws: &Aws, command: &Init, stack: &str) -> String {
    let file: PathBuf = command.output.join(format!("{stack}.json"));
    let _ = std::fs::remove_file(&file);
    let failed = operate(aws.clone(), async |_: Driver, session: Session| {
        command.run(&session).await.expect_err("refused")
    });
    assert!(matches!(failed, Failed::Refused(_)), "{failed}");
    assert!(!file.exists(), "{}", file.display());
    failed.to_string()
}

#[test]
fn a_service_that_cannot_be_adopted_is_refused_with_the_reason() {
    let mut aws = account();
    ecs::set_controller(&mut aws, CLUSTER, "web", "EXTERNAL");
    let command = init_with_placeholder("web", "web", "external");
    assert_eq!(
        refused(&aws, &command, "web-pipeline"),
        "apps/web cannot be adopted: the deployment controller of service `web` is EXTERNAL; \
         expected ECS for a release; change the service or choose another one"
    );

    let why = refused(&aws, &init("api", "external"), "api-pipeline");
    assert!(
        why.starts_with("service `api` is not in cluster `apps`"),
        "{why}"
    );
    let why = refused(&account(), &init("web", "external"), "web-pipeline");
    assert!(why.contains("expected in --repository"), "{why}");
    let mut canary = command;
    canary.strategy = Some(ReleaseStrategy::Canary);
    let why = refused(&account(), &canary, "web-pipeline");
    assert!(why.starts_with("service `web` is a single one"), "{why}");
}

#[test]
fn a_file_that_exists_is_written_over_only_if_that_is_requested() {
    let aws = account();
    let mut command = init_with_placeholder("web", "web", "existing");
    let answer = written(&aws, &command);
    let file = field(&answer, "parameters");
    std::fs::write(&file, "mine").expect("a file");

    command.force = false;
    let refusal = |command: &Init| {
        let failed = operate(aws.clone(), async |_: Driver, session: Session| {
            command.run(&session).await.expect_err("refused")
        });
        failed.to_string()
    };
    let exists = "exists; expected another folder in --output, or --force to write over it";
    assert_eq!(refusal(&command), format!("{file} {exists}"));
    assert_eq!(std::fs::read_to_string(&file).expect("a file"), "mine");

    std::fs::remove_file(&file).expect("it is there");
    let notes = field(&answer, "notes");
    assert_eq!(refusal(&command), format!("{notes} {exists}"));
    assert!(!Path::new(&file).exists());
    command.force = true;
    written(&aws, &command);
    assert!(Path::new(&file).exists());
}
