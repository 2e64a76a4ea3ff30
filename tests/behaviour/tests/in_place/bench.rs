//! Steps invoked one by one on the demo's account. No function runs by itself, so nothing comes in
//! between.

use std::time::Duration;

use emulator::client::{CallFault, Invocation, sdk_config};
use emulator::{Aws, dynamodb, ecs};
use harness::demo::{CLUSTER, WEB};
use harness::driver::Driver;
use invariants::ledger_reader::{self, FUNCTIONS_STACK};
use serde_json::{Map, Value, json};
use slipway::aws::{Ledger, Sdk};
use slipway::release::{Event, Lease, Record, Release, apply};
use slipway::timestamp::Timestamp;

use behaviour::{invoke, ledger_table, push, released, service, update_pipeline, writes};

/// The execution of the release by hand.
pub(crate) const JANE: &str = "jane-1";

/// As [`released`], with a pipeline of web that has no finish-release action any more.
pub(crate) fn released_without_finish() -> Aws {
    let mut aws = released();
    let changed = update_pipeline(&mut aws, "slipway-web", |pipeline| {
        let actions = pipeline["stages"][1]["actions"]
            .as_array_mut()
            .expect("actions");
        actions.retain(|action| action["name"] != "finish-release");
    });
    changed.expect("a legal pipeline");
    aws
}

/// The ARN of `family:revision`.
pub(crate) fn arn(revision: &str) -> String {
    format!("arn:aws:ecs:eu-west-1:111122223333:task-definition/{revision}")
}

/// Web's image by its tag.
pub(crate) fn image(tag: &str) -> String {
    format!("111122223333.dkr.ecr.eu-west-1.amazonaws.com/web:{tag}")
}

/// Web's image by its digest.
pub(crate) fn pinned(digest: &str) -> String {
    format!("111122223333.dkr.ecr.eu-west-1.amazonaws.com/web@{digest}")
}

/// One look of a step.
pub(crate) async fn look(driver: &Driver, step: &str, more: Value) -> Value {
    let mut parameters = json!({
        "pipeline": "slipway-by-hand",
        "execution": JANE,
        "cluster": CLUSTER,
        "service": WEB,
    });
    parameters
        .as_object_mut()
        .expect("an object")
        .extend(more.as_object().expect("an object").clone());
    invoke(driver, step, json!({ "parameters": parameters }))
        .await
        .expect("an answer")
}

/// The next look of a step that was still going.
pub(crate) async fn again(driver: &Driver, step: &str, more: Value, before: &Value) -> Value {
    let mut parameters = json!({
        "pipeline": "slipway-by-hand",
        "execution": JANE,
        "cluster": CLUSTER,
        "service": WEB,
    });
    parameters
        .as_object_mut()
        .expect("an object")
        .extend(more.as_object().expect("an object").clone());
    let event = json!({"parameters": parameters, "continuationToken": before["continuationToken"]});
    invoke(driver, step, event).await.expect("an answer")
}

/// Looks of a step, half a minute apart, until it is done or has failed.
pub(crate) async fn ended(driver: &Driver, step: &str, more: Value) -> Value {
    let mut answer = look(driver, step, more.clone()).await;
    for _ in 0..100 {
        if answer["status"] != "in-progress" {
            return answer;
        }
        pass(driver, 30).await;
        answer = again(driver, step, more.clone(), &answer).await;
    }

    panic!("{step} is still going: {answer}");
}

/// Lets this many seconds pass in the account.
pub(crate) async fn pass(driver: &Driver, secs: u64) {
    driver.world.clock.sleep(Duration::from_secs(secs)).await;
    drop(driver.world.aws());
}

pub(crate) async fn begun(driver: &Driver, more: Value) -> Value {
    let mut all = json!({"strategy": "rolling"});
    all.as_object_mut()
        .expect("an object")
        .extend(more.as_object().expect("an object").clone());
    let answer = look(driver, "begin-release", all).await;
    assert_eq!(answer["status"], "done", "{answer}");
    answer
}

/// Begins a release of a new image of web and registers its revision; returns the digest.
pub(crate) async fn registered(driver: &Driver) -> String {
    let digest = push(driver, WEB, "2.0.0");
    begun(driver, json!({ "digest": digest })).await;
    let answer = look(
        driver,
        "register-task-definition",
        json!({"images": {"web": image("2.0.0")}}),
    )
    .await;

    assert_eq!(
        answer["outputVariables"]["TaskDefinitionArn"],
        arn("web:3"),
        "{answer}"
    );

    digest
}

/// The parameters of update-service for the revision that [`registered`] makes.
pub(crate) fn update(more: Value) -> Value {
    let mut all = json!({"task_definition": arn("web:3"), "strategy": "rolling"});
    all.as_object_mut()
        .expect("an object")
        .extend(more.as_object().expect("an object").clone());
    all
}

/// An event of CodePipeline about the release by hand.
pub(crate) fn event(state: &str) -> Value {
    json!({
        "version": "0", "id": "13cde686-328b-6117-af20-0e5566167482", "source": "aws.codepipeline",
        "detail-type": "CodePipeline Pipeline Execution State Change", "account": "111122223333",
        "time": "2026-01-05T09:00:00Z", "region": "eu-west-1", "resources": [],
        "detail": {
            "pipeline": "slipway-by-hand",
            "execution-id": JANE,
            "state": state,
            "version": 1,
        },
    })
}

/// What roll-back returns for the end of the manual release.
pub(crate) async fn roll_back(driver: &Driver, state: &str) -> String {
    let answer = invoke(driver, "roll-back", event(state))
        .await
        .expect("an answer");
    assert_eq!(answer["execution"], JANE, "{answer}");
    answer["status"].as_str().expect("a status").to_owned()
}

/// Wakes roll-back, half a minute apart, until the release is closed; returns its last status.
pub(crate) async fn rolled_back(driver: &Driver, state: &str) -> String {
    for _ in 0..100 {
        let status = roll_back(driver, state).await;
        if record(driver)["state"] == "closed" {
            return status;
        }
        pass(driver, 30).await;
    }
    panic!("the release is still open");
}

pub(crate) fn sdk(driver: &Driver) -> Sdk {
    let table = ledger_table(&driver.world.aws());
    let invocation = Invocation::new(format!("{FUNCTIONS_STACK}-roll-back"), CallFault::None);
    Sdk::new(sdk_config(&driver.world, invocation), &table)
}

/// Writes another state of a lease, as an invocation would that died right after it.
pub(crate) async fn edit(driver: &Driver, service: &str, change: impl FnOnce(&Lease) -> Lease) {
    let ledger = Ledger::new(&sdk(driver));
    let lease = ledger
        .lease(CLUSTER, service)
        .await
        .expect("it is read")
        .expect("the service has a lease");
    ledger
        .advance(&change(&lease))
        .await
        .expect("it is written");
}

/// When the release that holds the lease began.
pub(crate) fn began(lease: &Lease) -> Timestamp {
    lease.release.as_ref().expect("a release").began_at
}

/// The lease after an event that happened when its release began.
pub(crate) fn after(lease: &Lease, event: Event) -> Lease {
    apply(lease, event, began(lease)).expect("a legal event")
}

/// The same lease one write later, with its release changed.
pub(crate) fn with_release(lease: &Lease, change: impl FnOnce(&mut Release)) -> Lease {
    let mut next = Lease {
        fence: lease.fence + 1,
        ..lease.clone()
    };
    change(next.release.as_mut().expect("a release"));
    next
}

/// The same lease one write later, as if a change had been announced this many seconds after its
/// release began.
pub(crate) fn announced_after(lease: &Lease, secs: i64) -> Lease {
    let at = Timestamp::from_secs(began(lease).secs() + secs).expect("in range");
    Lease {
        fence: lease.fence + 1,
        changed_at: Some(at),
        ..lease.clone()
    }
}

/// Puts an item into the ledger as it is, whatever was there.
pub(crate) fn put(driver: &Driver, item: &Value) {
    let mut aws = driver.world.aws();
    let put = json!({"TableName": ledger_table(&aws), "Item": item});
    dynamodb::call(&mut aws, "PutItem", &put).expect("an item");
}

/// Writes the record of an execution that has not begun.
pub(crate) async fn put_record(driver: &Driver, record: &Record) {
    assert!(
        Ledger::new(&sdk(driver))
            .put_record(record)
            .await
            .expect("it is written"),
        "the record is further"
    );
}

/// An item of the ledger as plain JSON, with each instant as `<time>`; null when it is not there.
fn item(aws: &Aws, pk: &str, sk: &str) -> Value {
    ledger_reader::item(aws, &json!({"pk": {"S": pk}, "sk": {"S": sk}}))
        .map_or(Value::Null, |item| members(&item))
}

fn members(attributes: &Value) -> Value {
    let attributes = attributes.as_object().expect("a map of attributes");
    Value::Object(
        attributes
            .iter()
            .map(|(name, attribute)| {
                let value = if name == "expires_at" {
                    json!("<time>")
                } else {
                    plain(attribute)
                };
                (name.clone(), value)
            })
            .collect::<Map<_, _>>(),
    )
}

fn plain(attribute: &Value) -> Value {
    let (kind, value) = attribute
        .as_object()
        .and_then(|member| member.iter().next())
        .expect("an attribute");
    match (kind.as_str(), value) {
        ("S", Value::String(text)) if is_time(text) => json!("<time>"),
        ("N", Value::String(number)) => serde_json::from_str(number).expect("a number"),
        ("M", map) => members(map),
        ("L", Value::Array(items)) => items.iter().map(plain).collect(),
        (_, value) => value.clone(),
    }
}

fn is_time(text: &str) -> bool {
    text.len() == 20 && text.starts_with("2026-") && text.ends_with('Z')
}

/// The lease of web.
pub(crate) fn lease(driver: &Driver) -> Value {
    item(&driver.world.aws(), "lease", &format!("{CLUSTER}/{WEB}"))
}

/// The record of the release by hand.
pub(crate) fn record(driver: &Driver) -> Value {
    item(&driver.world.aws(), &format!("execution#{JANE}"), "record")
}

/// The mark by which the sweep finds the release by hand before it has begun.
pub(crate) fn mark(driver: &Driver) -> Value {
    item(&driver.world.aws(), "lease", &format!("started#{JANE}"))
}

/// The deployment that ECS works towards for web.
pub(crate) fn primary(driver: &Driver) -> Value {
    web(driver)["deployments"][0].clone()
}

/// Web as DescribeServices shows it.
pub(crate) fn web(driver: &Driver) -> Value {
    service(&driver.world.aws(), CLUSTER, WEB)
}

/// What an operator changes of web by hand.
pub(crate) fn set(driver: &Driver, more: Value) {
    let mut input = more;
    input["cluster"] = json!(CLUSTER);
    input["service"] = json!(WEB);
    ecs::call(&mut driver.world.aws(), "UpdateService", &input).expect("the service is there");
}

/// Web is not in its cluster any more.
pub(crate) fn take_away(driver: &Driver) {
    let mut aws = driver.world.aws();
    let found = aws
        .ecs
        .services
        .values_mut()
        .find(|service| service.name == WEB)
        .expect("the service is there");
    found.name = "moved-away".to_owned();
}

/// Registers once more, past the steps, what is registered as `revision`, with a change of the
/// request; returns the new ARN.
pub(crate) fn register_copy(
    driver: &Driver,
    revision: &str,
    change: impl FnOnce(&mut Value),
) -> String {
    let mut aws = driver.world.aws();
    let mut request = aws.ecs.request_of(revision).expect("registered").clone();
    change(&mut request);
    let answer = ecs::call(&mut aws, "RegisterTaskDefinition", &request).expect("legal");

    answer["taskDefinition"]["taskDefinitionArn"]
        .as_str()
        .expect("an ARN")
        .to_owned()
}

/// An operator registers a revision of web with another image.
pub(crate) fn register_by_hand(driver: &Driver, image: &str) -> String {
    register_copy(driver, "web:2", |request| {
        request["containerDefinitions"][0]["image"] = json!(image);
    })
}

/// The changing calls since then of one function, by operation.
pub(crate) fn operations(driver: &Driver, since: usize, function: &str) -> Vec<String> {
    let own = format!(" of {FUNCTIONS_STACK}-{function}");
    let all = writes(&driver.world.aws(), since);
    all.iter()
        .filter_map(|write| write.strip_suffix(&own).map(ToOwned::to_owned))
        .collect()
}

pub(crate) fn calls(driver: &Driver) -> usize {
    driver.world.aws().calls.len()
}

/// That a response is a failure of a kind, in words that contain all of these.
pub(crate) fn fails(answer: &Value, kind: &str, fragments: &[&str]) {
    assert_eq!(
        (&answer["status"], &answer["type"]),
        (&json!("failed"), &json!(kind)),
        "{answer}"
    );

    let message = answer["message"].as_str().expect("a message");
    assert!(
        fragments.iter().all(|fragment| message.contains(fragment)),
        "{message}"
    );
}
