//! Releases of the site, a pair behind two weighted records: the steps and bakes of a pair behind a
//! rule, each of which begins when Route 53 is INSYNC and older DNS answers have expired.

mod check_url;
mod crashes;
mod demo;
mod late_clients;
mod refusals;
mod set_ups;
mod steps;
mod undo;

use std::sync::OnceLock;

use behaviour::{account, failure, jobs, newest, pair, until};
use emulator::{Aws, Millis, Quirk, route53};
use harness::demo::{CLUSTER, dns};
use harness::driver::Driver;
use invariants::ledger_reader::digest;
use serde_json::{Value, json};

const PIPELINE: &str = "slipway-site";
/// Of the records, in milliseconds.
const TTL: Millis = 60_000;
const MINUTE: Millis = 60_000;

/// The site, of which blue is live with two tasks, with these parameters of its pipeline. No client
/// keeps its connection, for which a release would wait.
fn site(changes: &[(&str, &str)]) -> Aws {
    static SITE: OnceLock<Aws> = OnceLock::new();
    let site = SITE.get_or_init(|| dns::opened_in(account(), &[], &[]).expect("the site deploys"));
    let mut aws = site.clone();
    aws.settle_quirk(Quirk::KeepsConnections, false);
    if !changes.is_empty() {
        pair::update(&mut aws, "site-pipeline", changes);
    }
    aws
}

/// Tasks that each colour should have.
fn counts(aws: &Aws) -> [u32; 2] {
    ["site-blue", "site-green"].map(|name| {
        let service = aws.ecs.service_named(CLUSTER, name);
        service.expect("the site has both").desired_count
    })
}

/// When the weights were set.
fn changes(aws: &Aws) -> Vec<Millis> {
    let made = aws
        .calls
        .iter()
        .filter(|call| call.operation == "ChangeResourceRecordSets" && call.error.is_none());
    made.map(|call| call.at).collect()
}

/// Another writer changes the zone.
fn change(aws: &mut Aws, changes: &Value) {
    let zone = aws.route53.zones().next().expect("a zone").id.clone();
    let input = json!({"HostedZoneId": zone, "ChangeBatch": {"Changes": changes}});
    route53::call(aws, "ChangeResourceRecordSets", &input)
        .unwrap_or_else(|error| panic!("{changes}: {error}"));
}

/// An UPSERT of a record with this identifier, weight and target.
fn record(identifier: &str, weight: i64, target: &str) -> Value {
    json!({"Action": "UPSERT", "ResourceRecordSet": {
        "Name": dns::NAME, "Type": "CNAME", "SetIdentifier": identifier, "Weight": weight,
        "TTL": 60, "ResourceRecords": [{"Value": target}],
    }})
}

/// Where the record of a colour leads.
fn target(aws: &Aws, colour: &str) -> String {
    let export = format!("site-{colour}-LoadBalancerDnsName");
    let name = aws.cloudformation.export(&export);
    name.expect("the service exports it").to_owned()
}

/// Lets the execution of a push end.
async fn ended(driver: &Driver, pushed: &str) {
    let over = |aws: &Aws| {
        let execution = newest(aws, PIPELINE);
        digest(execution) == Some(pushed) && execution.is_over()
    };
    until(driver, over).await;
}

/// The reason for which an action of a push's execution failed.
async fn failed(driver: &Driver, pushed: &str, action: &str) -> String {
    ended(driver, pushed).await;

    let aws = driver.world.aws();
    let execution = newest(&aws, PIPELINE).id.clone();
    let jobs = jobs(&aws, &execution, action);
    let failure = jobs.last().and_then(|job| failure(job));
    failure.expect("the action failed").1.to_owned()
}
