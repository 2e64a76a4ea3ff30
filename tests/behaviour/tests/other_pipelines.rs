//! A pipeline whose actions name the release of another one, or another execution of its own:
//! nothing is done for it, and that release goes on.

use behaviour::pair::update;
use behaviour::{
    account, answer, ecs_state, failure, jobs, newest, outcome, push, settled, until_approval,
    update_pipeline,
};
use emulator::Aws;
use emulator::codepipeline;
use harness::demo::{CLUSTER, COUNTER, WEB};
use harness::driver::{Driver, Fault, run};
use invariants::ledger_reader::{self, FUNCTIONS_STACK, record};
use serde_json::{Value, json};

/// The pipeline whose release is named.
const OWNER: &str = "slipway-page-counter";
/// The pipeline that names it.
const OTHER: &str = "slipway-web";
const REVISION: &str = "arn:aws:ecs:eu-west-1:111122223333:task-definition/page-counter:1";

/// What an action of the other pipeline came to.
struct Tried {
    kind: String,
    message: String,
    /// What the action's function called.
    operations: Vec<String>,
}

/// The account in which releases of the owner wait for an approval.
fn with_approval() -> Aws {
    let mut aws = account();
    let parameters = [("Approval", "yes"), ("TaskDefinitionFile", "")];
    update(&mut aws, "page-counter-pipeline", &parameters);
    aws
}

/// Lease and record of the owner's release, and what is in ECS.
fn state(driver: &Driver, execution: &str) -> [Value; 3] {
    let aws = driver.world.aws();
    let key = json!({"pk": {"S": "lease"}, "sk": {"S": format!("{CLUSTER}/{COUNTER}")}});
    let lease = ledger_reader::item(&aws, &key).expect("the service has a lease");
    let record = record(&aws, execution).expect("the execution has a record");
    [lease, record, ecs_state(&aws)]
}

/// The parameters of a step of the owner's release, with more or others.
fn naming(execution: &str, more: &Value) -> Value {
    let mut all = json!({
        "pipeline": OTHER, "execution": execution, "cluster": CLUSTER, "service": COUNTER,
    });
    all.as_object_mut()
        .expect("an object")
        .extend(more.as_object().expect("an object").clone());
    all
}

/// Leaves the other pipeline one action with these parameters, and lets an execution of it end.
async fn tried(driver: &Driver, tag: &str, step: &str, parameters: &Value) -> Tried {
    let function = format!("{FUNCTIONS_STACK}-{step}");
    let changed = update_pipeline(&mut driver.world.aws(), OTHER, |pipeline| {
        let mut action = pipeline["stages"][1]["actions"][0].take();
        action["name"] = json!(step);
        action["configuration"] = json!({
            "FunctionName": function, "UserParameters": parameters.to_string(),
        });
        pipeline["stages"][1]["actions"] = json!([action]);
    });
    changed.expect("a legal pipeline");

    let since = driver.world.aws().calls.len();
    let pushed = push(driver, WEB, tag);
    let execution = settled(driver, OTHER, &pushed).await;

    let aws = driver.world.aws();
    let given = jobs(&aws, &execution, step);
    let (kind, message) = given.into_iter().find_map(failure).expect("it fails");
    let own = aws.calls[since..]
        .iter()
        .filter(|call| call.caller == function);
    Tried {
        kind: kind.to_owned(),
        message: message.to_owned(),
        operations: own.map(|call| call.operation.clone()).collect(),
    }
}

/// That an action was refused with both pipelines, before its function called anything else.
fn assert_refused(driver: &Driver, tried: &Tried) {
    let Tried { kind, message, .. } = tried;
    assert_eq!(kind, "ConfigurationError", "{message}");
    let arn = |name: &str| driver.world.aws().arn("codepipeline", name);
    let owner = format!("whose release is of pipeline {}", arn(OWNER));
    let other = format!("the job is of pipeline {}", arn(OTHER));
    for part in ["`execution` is ", owner.as_str(), other.as_str()] {
        assert!(message.contains(part), "no {part} in: {message}");
    }
    assert_only_read(tried);
}

fn assert_only_read(tried: &Tried) {
    let known = ["GetItem", "GetJobDetails", "PutJobFailureResult"];
    let operations = &tried.operations;
    let is_known = |operation: &String| known.contains(&operation.as_str());
    assert!(operations.iter().all(is_known), "{operations:?}");
}

#[test]
fn no_step_acts_for_the_open_release_of_another_pipeline() {
    run(with_approval(), Fault::None, async |driver| {
        let own = push(&driver, COUNTER, "1.0.0");
        let approval = until_approval(&driver, OWNER).await;
        let execution = approval.execution.clone();
        let before = state(&driver, &execution);

        let steps = [
            ("begin-release", json!({"strategy": "rolling"})),
            (
                "begin-release",
                json!({"strategy": "rolling", "service": WEB}),
            ),
            (
                "register-task-definition",
                json!({"images": {"web": "web:1.0.0"}}),
            ),
            (
                "update-service",
                json!({"task_definition": REVISION, "strategy": "rolling"}),
            ),
            ("finish-release", json!({"task_definition": REVISION})),
        ];
        for (place, (step, more)) in steps.into_iter().enumerate() {
            let tag = format!("1.0.{place}");
            let tried = tried(&driver, &tag, step, &naming(&execution, &more)).await;
            assert_refused(&driver, &tried);
            assert_eq!(state(&driver, &execution), before, "{step}");
        }

        answer(&driver, &approval, true);
        assert_eq!(settled(&driver, OWNER, &own).await, execution);
        assert_eq!(outcome(&driver, &execution), "deployed");
    });
}

#[test]
fn parameters_that_cannot_be_read_fail_no_release_of_another_pipeline() {
    run(with_approval(), Fault::None, async |driver| {
        push(&driver, COUNTER, "1.0.0");
        let execution = until_approval(&driver, OWNER).await.execution;
        let before = state(&driver, &execution);

        let more = json!({"task_definition": REVISION, "surprise": 1});
        let named = naming(&execution, &more);
        let tried = tried(&driver, "1.0.0", "finish-release", &named).await;
        assert!(tried.message.contains("surprise"), "{}", tried.message);
        assert_only_read(&tried);
        assert_eq!(state(&driver, &execution), before);
    });
}

#[test]
fn the_end_of_a_release_is_not_reported_to_another_pipeline() {
    run(with_approval(), Fault::None, async |driver| {
        let own = push(&driver, COUNTER, "1.0.0");
        let approval = until_approval(&driver, OWNER).await;
        answer(&driver, &approval, true);
        let execution = settled(&driver, OWNER, &own).await;

        let more = json!({"task_definition": REVISION});
        let named = naming(&execution, &more);
        let tried = tried(&driver, "1.0.0", "finish-release", &named).await;
        assert_refused(&driver, &tried);
    });
}

/// Lets the account have a future in which CodePipeline states the execution of a job.
fn state_executions(driver: &Driver, job: &str) {
    let given = json!({"jobId": job});
    let is_stated = (1..=64).any(|seed| {
        let mut aws = driver.world.aws();
        aws.reseed(seed);
        let details = codepipeline::call(&mut aws, "GetJobDetails", &given).expect("a job");
        details["jobDetails"]["data"]["pipelineContext"]["pipelineExecutionId"].is_string()
    });
    assert!(is_stated);
}

#[test]
fn no_step_acts_for_another_execution_of_its_own_pipeline() {
    run(account(), Fault::None, async |driver| {
        let pushed = push(&driver, WEB, "1.0.0");
        let earlier = settled(&driver, OTHER, &pushed).await;
        let job = jobs(&driver.world.aws(), &earlier, "finish-release")[0]
            .id
            .clone();
        state_executions(&driver, &job);
        assert_eq!(outcome(&driver, &earlier), "deployed");
        let before = record(&driver.world.aws(), &earlier);

        let more = json!({"service": WEB, "task_definition": REVISION});
        let named = naming(&earlier, &more);
        let tried = tried(&driver, "1.0.1", "finish-release", &named).await;
        assert_eq!(tried.kind, "ConfigurationError", "{}", tried.message);
        let own = newest(&driver.world.aws(), OTHER).id.clone();
        let expected = format!(
            "`execution` is {earlier}, but the job is of execution {own}; expected the job's own \
             execution, #{{codepipeline.PipelineExecutionId}}"
        );
        assert_eq!(tried.message, expected);
        assert_only_read(&tried);
        assert_eq!(record(&driver.world.aws(), &earlier), before);
    });
}
