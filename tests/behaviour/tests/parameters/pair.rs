//! The same for a blue/green pair: parameters that do not fit it, accounts in which it is
//! incomplete, and steps in another order.

mod begin;
mod order;
mod swap;
mod update;

use emulator::Aws;
use harness::demo::{CLUSTER, SHOP};
use harness::driver::Driver;
use serde_json::{Value, json};

use super::{Bench, Wrong, release};
use behaviour::pair::{self, PIPELINE, weights};
use behaviour::{account, failure, invoke, jobs, newest, service, writes};

const PAIR: Bench = Bench {
    pipeline: PIPELINE,
    repository: SHOP,
    prepare: |_| {},
};

/// Checks every case of an action of the pair's pipeline: refused at once and so, and in the end
/// all is as it was.
fn check(bench: Bench, action: &str, function: &str, kind: &str, cases: &[(Wrong, &[&str])]) {
    let before = {
        let mut aws = account();
        (bench.prepare)(&mut aws);
        aws
    };
    let mut failed = Vec::new();
    for (wrong, fragments) in cases {
        let after = release(bench, action, wrong);
        failed.extend(unlike(&after, action, kind, fragments));

        let changed = changed(&before, &after, action, function);
        failed.extend(
            changed
                .into_iter()
                .map(|change| format!("{fragments:?}: {change}")),
        );
    }

    assert!(failed.is_empty(), "{action}:\n{}", failed.join("\n"));
}

/// How the action was refused, unless in its first job, with this kind and all of the fragments.
fn unlike(after: &Aws, action: &str, kind: &str, fragments: &[&str]) -> Option<String> {
    let jobs = jobs(after, &newest(after, PIPELINE).id, action);
    let (found, message) = jobs
        .first()
        .and_then(|job| failure(job))
        .unwrap_or(("no failure", ""));
    let missing: Vec<_> = fragments
        .iter()
        .filter(|fragment| !message.contains(**fragment))
        .collect();

    (jobs.len() != 1 || found != kind || !missing.is_empty()).then(|| {
        format!(
            "{} jobs, {found}, not in the message {missing:?}: {message}",
            jobs.len()
        )
    })
}

/// What an action that was refused changed anyway.
fn changed(before: &Aws, after: &Aws, action: &str, function: &str) -> Vec<String> {
    let own = format!("of slipway-{function}");
    let changes = writes(after, before.calls.len());
    let at_once = function != "update-service" || action != "retire";
    let mut found = Vec::new();

    if at_once
        && changes
            .iter()
            .any(|write| write.ends_with(&own) && !is_ledgers(write))
        && action != "fill"
    {
        found.push(format!("{changes:?}"));
    }
    if action == "fill"
        && changes
            .iter()
            .any(|write| write.starts_with("UpdateService"))
    {
        found.push(format!("{changes:?}"));
    }
    if weights(after) != weights(before) || described(after) != described(before) {
        found.push(format!("{} was {}", described(after), described(before)));
    }
    found
}

fn is_ledgers(write: &str) -> bool {
    ["PutItem", "TransactWriteItems"]
        .iter()
        .any(|known| write.starts_with(known))
}

/// State of the pair, as far as it is there.
fn described(aws: &Aws) -> Value {
    let whole = pair::COLOURS
        .iter()
        .all(|name| !service(aws, CLUSTER, name)["taskDefinition"].is_null());
    // What a rollback sets a rule to is written another way than what CloudFormation did: its
    // weights are compared.
    if whole {
        json!([
            pair::definitions(aws),
            pair::counts(aws),
            pair::suspensions(aws)
        ])
    } else {
        json!(null)
    }
}

/// Parameters of a step by hand.
fn common(more: Value) -> Value {
    let mut all = json!({
        "pipeline": "slipway-by-hand",
        "execution": "jane-1",
        "cluster": CLUSTER,
        "service": SHOP,
    });
    all.as_object_mut()
        .expect("an object")
        .extend(more.as_object().expect("an object").clone());
    all
}

/// A step by hand is refused at its first look, and changes nothing but the ledger.
async fn refuses(driver: &Driver, step: &str, parameters: Value, kind: &str, fragments: &[&str]) {
    let since = driver.world.aws().calls.len();
    let answer = invoke(driver, step, json!({ "parameters": parameters }))
        .await
        .expect("an answer");
    assert_eq!(
        (&answer["status"], &answer["type"]),
        (&json!("failed"), &json!(kind)),
        "{step}: {answer}"
    );

    let message = answer["message"].as_str().unwrap_or_default();
    assert!(
        fragments.iter().all(|fragment| message.contains(fragment)),
        "{step}: {message}"
    );

    let mut changes = writes(&driver.world.aws(), since);
    changes.retain(|write| !is_ledgers(write));
    assert_eq!(changes, Vec::<String>::new(), "{step}");
}
