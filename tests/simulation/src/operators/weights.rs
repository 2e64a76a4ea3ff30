//! The weights of a pair, set outside of its releases: those of its rule, or of both its records;
//! and another writer of the records' zone.

use serde_json::{Value, json};

use super::Done;
use crate::shape::{production_rule, zone};
use emulator::elb::{self, Elb};
use emulator::{Aws, route53};

/// A record of the zone that does not belong to a release.
const OTHER: &str = "_acme-challenge.example.com";

/// Sends this many percent of the traffic to blue, the rest to green.
pub(super) fn set(aws: &mut Aws, blue: u32) -> Done {
    let weights = [blue, 100 - blue.min(100)];
    match production_rule(aws) {
        Some(rule) => of_rule(aws, &rule, weights),
        None => of_records(aws, weights),
    }
}

/// Changes the weights of a pair's production rule, as `aws elbv2 modify-rule` does.
fn of_rule(aws: &mut Aws, rule: &str, weights: [u32; 2]) -> Done {
    let found = Elb::forwards(aws.elb.actions_of(rule));
    if found
        .iter()
        .map(|(_, weight)| *weight)
        .eq(weights.map(i64::from))
    {
        return Done::Nothing;
    }

    let groups: Vec<Value> = found
        .into_iter()
        .zip(weights)
        .map(|((group, _), weight)| json!({"TargetGroupArn": group, "Weight": weight}))
        .collect();
    let actions =
        json!({"Actions": [{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}]});

    match elb::update_rule(aws, rule, &actions) {
        Ok(()) => Done::ServiceChanged { on_purpose: true },
        Err(_) => Done::Nothing,
    }
}

/// Changes the weights of both records, as `aws route53 change-resource-record-sets` does.
fn of_records(aws: &mut Aws, weights: [u32; 2]) -> Done {
    let Some(zone) = zone(aws) else {
        return Done::Nothing;
    };
    let listed = route53::call(
        aws,
        "ListResourceRecordSets",
        &json!({"HostedZoneId": zone}),
    );
    let listed = listed.unwrap_or_default();
    let sets = listed["ResourceRecordSets"].as_array();
    let weighted = sets.into_iter().flatten();
    let found: Vec<&Value> = weighted.filter(|set| !set["Weight"].is_null()).collect();
    if found
        .iter()
        .zip(weights)
        .all(|(set, weight)| set["Weight"] == weight)
    {
        return Done::Nothing;
    }

    let changes = found.into_iter().zip(weights).map(|(set, weight)| {
        let mut set = set.clone();
        set["Weight"] = json!(weight);
        upsert(&set)
    });
    if change(aws, &zone, changes.collect()) {
        Done::ServiceChanged { on_purpose: true }
    } else {
        Done::Nothing
    }
}

/// Another writer changes a record of the zone that does not belong to a release.
pub(crate) fn change_zone(aws: &mut Aws) -> bool {
    let record = json!({
        "Name": OTHER, "Type": "TXT", "TTL": 60, "ResourceRecords": [{"Value": "\"token\""}],
    });
    zone(aws).is_some_and(|zone| change(aws, &zone, vec![upsert(&record)]))
}

fn upsert(record: &Value) -> Value {
    json!({"Action": "UPSERT", "ResourceRecordSet": record})
}

/// Whether a batch of changes is taken.
fn change(aws: &mut Aws, zone: &str, changes: Vec<Value>) -> bool {
    let input = json!({"HostedZoneId": zone, "ChangeBatch": {"Changes": changes}});
    route53::call(aws, "ChangeResourceRecordSets", &input).is_ok()
}
