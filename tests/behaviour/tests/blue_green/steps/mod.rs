//! One look at a time, by hand: what each step of a pair's release finds, writes into the lease
//! before and after it changes something, changes, and reports. Green is live and blue is idle; the
//! lease is changed between looks to reach rare states.

use std::sync::{Arc, OnceLock};

use emulator::{Aws, dynamodb, eventbridge};
use harness::demo::{CLUSTER, SHOP};
use harness::driver::{Driver, Fault, run};
use invariants::ledger_reader::item;
use serde_json::{Map, Value, json};
use slipway::timestamp::Timestamp;
use tokio::sync::Notify;

use behaviour::pair::{self, SHORT, secs, shop};
use behaviour::{invoke, ledger_table, pass, push, writes};

mod back;
mod begin;
mod bound_again;
mod checks;
mod ends;
mod fill;
mod grown;
mod in_use;
mod judge;
mod kept;
mod pointing;
mod prior;
mod retire;
mod scheduled;
mod swap;

const EXECUTION: &str = "jane-1";

/// Looks after which a step is done at the latest, 20 seconds from each to the next.
const LOOKS: usize = 40;

/// An attribute of DynamoDB as plain JSON.
fn plain(attribute: &Value) -> Value {
    let (kind, value) = attribute
        .as_object()
        .and_then(|one| one.iter().next())
        .expect("an attribute");
    match kind.as_str() {
        "M" => value
            .as_object()
            .expect("a map")
            .iter()
            .map(|(name, value)| (name.clone(), plain(value)))
            .collect(),
        "L" => value
            .as_array()
            .expect("a list")
            .iter()
            .map(plain)
            .collect(),
        "N" => serde_json::from_str(value.as_str().expect("a number as text")).expect("a number"),
        _ => value.clone(),
    }
}

fn attribute(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let members: Map<String, Value> = members
                .iter()
                .map(|(name, value)| (name.clone(), attribute(value)))
                .collect();
            json!({ "M": members })
        }
        Value::Array(items) => json!({"L": items.iter().map(attribute).collect::<Vec<_>>()}),
        Value::Number(number) => json!({"N": number.to_string()}),
        Value::Bool(flag) => json!({ "BOOL": flag }),
        Value::String(text) => json!({ "S": text }),
        Value::Null => json!({"NULL": true}),
    }
}

/// The lease of the shop as it is stored.
fn lease(aws: &Aws) -> Value {
    let key = json!({"pk": {"S": "lease"}, "sk": {"S": format!("{CLUSTER}/{SHOP}")}});
    plain(&json!({"M": item(aws, &key).expect("a lease")}))
}

/// The open release in the lease.
fn open(aws: &Aws) -> Value {
    lease(aws)["release"].clone()
}

/// What the last release of the shop left behind; its deploy role is that of the demo's pipeline.
fn settled(aws: &Aws) -> Value {
    let mut settled = lease(aws)["settled"].clone();
    if let Some(rule) = settled.get_mut("rule").and_then(Value::as_object_mut) {
        rule.remove("deploy_role");
    }
    settled
}

/// What a release leaves behind that ends with this colour live at these weights.
fn left_behind(aws: &Aws, live: &str, weights: [u32; 2]) -> Value {
    let [blue, green] = pair::groups(aws);
    json!({
        "live": live, "blue": weights[0], "green": weights[1],
        "rule": {"arn": pair::rule(aws), "target_groups": {"blue": blue, "green": green}},
    })
}

/// Changes the lease, as an invocation did that is over.
fn edit(aws: &mut Aws, change: impl FnOnce(&mut Value)) {
    let mut lease = lease(aws);
    change(&mut lease);
    let table = ledger_table(aws);
    let put = json!({"TableName": table, "Item": attribute(&lease)["M"]});
    dynamodb::call(aws, "PutItem", &put).expect("an item");
}

/// The instant this many seconds ago, as it is stored.
fn ago(aws: &Aws, secs: i64) -> Value {
    json!(Timestamp::from_secs(aws.now / 1000 - secs).expect("in range"))
}

/// The same with each instant of the last ten seconds as `now`.
fn timeless(aws: &Aws, value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(|item| timeless(aws, item)).collect(),
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| (name.clone(), timeless(aws, value)))
            .collect(),
        Value::String(_) => match serde_json::from_value::<Timestamp>(value.clone()) {
            Ok(at) if (0..10).contains(&(aws.now / 1000 - at.secs())) => json!("now"),
            _ => value.clone(),
        },
        other => other.clone(),
    }
}

/// The revision that the release registered, and the one that green ran before.
fn definitions(aws: &Aws) -> [String; 2] {
    let open = open(aws);
    [&open["registered"], &open["prior"]["task_definition"]]
        .map(|arn| arn.as_str().expect("an ARN").to_owned())
}

fn revision(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

/// Parameters of a step.
fn common(more: &Value) -> Value {
    let mut all = json!({
        "pipeline": "slipway-by-hand",
        "execution": EXECUTION,
        "cluster": CLUSTER,
        "service": SHOP,
    });
    all.as_object_mut()
        .expect("an object")
        .extend(more.as_object().expect("an object").clone());
    all
}

/// One look of a step whose action began this many seconds ago.
async fn look_after(driver: &Driver, step: &str, more: &Value, secs: i64) -> Value {
    let since = ago(&driver.world.aws(), secs);
    let token = json!({"v": 1, "step": step, "since": since}).to_string();
    let event = json!({"parameters": common(more), "continuationToken": token});
    invoke(driver, step, event).await.expect("an answer")
}

async fn look(driver: &Driver, step: &str, more: &Value) -> Value {
    look_after(driver, step, more, 0).await
}

/// Status, summary and percentage of a report; type and message of a failure.
fn report(answer: &Value) -> Value {
    match answer["status"].as_str() {
        Some("in-progress") => json!(["in-progress", answer["summary"], answer["percentComplete"]]),
        Some("done") => json!(["done", answer["summary"], answer["outputVariables"]]),
        _ => json!(["failed", answer["type"], answer["message"]]),
    }
}

fn going(summary: &str, percent: u8) -> Value {
    json!(["in-progress", summary, percent])
}

fn failed(message: &str) -> Value {
    json!(["failed", "JobFailed", message])
}

/// Operations that changed something since, in their order.
fn changed(aws: &Aws, since: usize) -> Vec<String> {
    let made = writes(aws, since);
    made.iter()
        .map(|write| write.split(' ').next().unwrap_or_default().to_owned())
        .collect()
}

fn calls(driver: &Driver) -> usize {
    driver.world.aws().calls.len()
}

/// Runs a step until it is done, and checks that it is.
async fn through(driver: &Driver, step: &str, more: Value) -> Value {
    let mut event = json!({"parameters": common(&more)});
    for _ in 0..LOOKS {
        let answer = invoke(driver, step, event.clone())
            .await
            .expect("an answer");
        if answer["status"] != "in-progress" {
            assert_eq!(answer["status"], "done", "{step}: {answer}");
            return answer;
        }
        event["continuationToken"] = answer["continuationToken"].clone();
        pass(driver, secs(20)).await;
    }

    panic!("{step} is still going after {LOOKS} looks");
}

fn fill(definition: &str) -> Value {
    json!({"task_definition": definition, "strategy": "blue-green", "mode": "fill"})
}

fn size(definition: &str) -> Value {
    json!({"task_definition": definition, "strategy": "blue-green", "mode": "size"})
}

fn retire(definition: &str) -> Value {
    json!({
        "task_definition": definition,
        "strategy": "blue-green",
        "mode": "retire",
        "drain_minutes": 0,
    })
}

/// A swap to half of the traffic.
fn to_half(definition: &str) -> Value {
    json!({"task_definition": definition, "shift": "listed", "steps": [50]})
}

fn to_all(definition: &str) -> Value {
    json!({"task_definition": definition, "shift": "all-at-once", "bake_minutes": 1})
}

/// Begins a release by hand of the image that was pushed last, and registers its revision.
async fn begins(driver: &Driver) {
    let rule = pair::rule(&driver.world.aws());
    let pushed = push(driver, SHOP, "2.0.0");
    let image = format!("111122223333.dkr.ecr.eu-west-1.amazonaws.com/shop@{pushed}");
    through(
        driver,
        "begin-release",
        json!({"strategy": "blue-green", "rule": rule, "digest": pushed}),
    )
    .await;
    through(
        driver,
        "register-task-definition",
        json!({"images": {"web": image}}),
    )
    .await;
}

/// The same account at the beginning of a second, so that a look of some calls ends within it.
fn aligned(aws: &Aws) -> Aws {
    let mut aws = aws.clone();
    aws.now = (aws.now / 1000 + 1) * 1000;
    aws
}

/// The shop with nothing open, and a push rule that starts no pipeline.
fn free() -> Aws {
    static SCENE: OnceLock<Aws> = OnceLock::new();

    let scene = SCENE.get_or_init(|| {
        let mut aws = shop(&SHORT);
        let rule = json!({"Name": "slipway-slipway-shop"});
        eventbridge::call(&mut aws, "DisableRule", &rule).expect("the rule is there");

        // What the last invocation of the first release announced is over.
        run(aws, Fault::None, async |driver| {
            pass(&driver, secs(120)).await;
            driver.world.snapshot()
        })
    });
    aligned(scene)
}

/// A release has begun and registered its revision.
fn begun() -> Aws {
    static SCENE: OnceLock<Aws> = OnceLock::new();

    let scene = SCENE.get_or_init(|| {
        run(free(), Fault::None, async |driver| {
            begins(&driver).await;
            pass(&driver, secs(61)).await;
            driver.world.snapshot()
        })
    });
    aligned(scene)
}

/// Blue is filled.
fn filled() -> Aws {
    static SCENE: OnceLock<Aws> = OnceLock::new();

    let scene = SCENE.get_or_init(|| {
        run(begun(), Fault::None, async |driver| {
            let [new, _] = definitions(&driver.world.aws());
            through(&driver, "update-service", fill(&new)).await;
            pass(&driver, secs(61)).await;
            driver.world.snapshot()
        })
    });
    aligned(scene)
}

/// Both colours have half of the traffic, for more than a minute.
fn half() -> Aws {
    static SCENE: OnceLock<Aws> = OnceLock::new();

    let scene = SCENE.get_or_init(|| {
        run(filled(), Fault::None, async |driver| {
            let [new, _] = definitions(&driver.world.aws());
            look(&driver, "swap-target-groups", &to_half(&new)).await;
            assert_eq!(pair::weights(&driver.world.aws()), [50, 50]);
            pass(&driver, secs(61)).await;
            driver.world.snapshot()
        })
    });
    aligned(scene)
}

/// The same, while the step that made the shift has not confirmed it.
fn unconfirmed() -> Aws {
    let mut aws = half();
    edit(&mut aws, |lease| {
        lease["release"]["shift"]["made"] = json!(false)
    });
    aws
}

/// Blue has all of the traffic, for more than a minute.
fn whole() -> Aws {
    static SCENE: OnceLock<Aws> = OnceLock::new();

    let scene = SCENE.get_or_init(|| {
        run(filled(), Fault::None, async |driver| {
            let [new, _] = definitions(&driver.world.aws());
            through(&driver, "swap-target-groups", to_all(&new)).await;
            pass(&driver, secs(61)).await;
            driver.world.snapshot()
        })
    });
    aligned(scene)
}

/// One look of a step, while another invocation of the release changes the account right after the
/// lease was read.
async fn overtaken(
    driver: &Driver,
    step: &str,
    more: &Value,
    change: impl FnOnce(&mut Aws),
) -> Value {
    let is_read = Arc::new(Notify::new());
    driver.world.witnessed_by({
        let is_read = is_read.clone();
        move |_, request| {
            if request
                .header("x-amz-target")
                .is_some_and(|target| target.ends_with(".GetItem"))
            {
                is_read.notify_one();
            }
        }
    });
    let other = async {
        is_read.notified().await;
        change(&mut driver.world.aws());
    };
    tokio::join!(look(driver, step, more), other).0
}

/// The same account after another invocation set weights and wrote that down.
fn shifted(aws: &mut Aws, [blue, green]: [i64; 2]) {
    pair::set_weights(aws, [blue, green]);
    edit(aws, |lease| {
        let fence = lease["fence"].as_u64().expect("a number");
        lease["fence"] = json!(fence + 1);
        lease["release"]["shift"]["to"] = json!({"blue": blue, "green": green});
    });
}
