//! Route 53.

use serde_json::{Value, json};

use super::{Returned, judge};
use crate::{Aws, route53};

const FILE: &str = "route53/test_aws_route53_recordset.snapshot.json";
const NAME: &str = "app.example.com";

/// Websites of two regions, as the tests have them.
const FIRST: [&str; 2] = ["Z3AQBSTGFYJSTF", "s3-website-us-east-1.amazonaws.com"];
const SECOND: [&str; 2] = ["Z2F56UZL2M1ACD", "s3-website-us-west-1.amazonaws.com"];

fn change(aws: &mut Aws, zone: &str, changes: Value) {
    let input = json!({"HostedZoneId": zone, "ChangeBatch": {"Changes": changes}});
    aws.now += 60_000;
    route53::call(aws, "ChangeResourceRecordSets", &input).unwrap();
}

fn weighted(action: &str, id: &str, weight: u8, [zone, target]: [&str; 2]) -> Value {
    let alias = json!({"HostedZoneId": zone, "DNSName": target, "EvaluateTargetHealth": false});
    json!({"Action": action, "ResourceRecordSet": {
        "Name": NAME, "Type": "A", "SetIdentifier": id, "Weight": weight, "AliasTarget": alias,
    }})
}

struct Recording {
    aws: Aws,
    zone: String,
    answers: Returned,
}

impl Recording {
    fn list(&mut self, test: &'static str, entry: &str) {
        let input = json!({"HostedZoneId": self.zone});
        let answer = route53::call(&mut self.aws, "ListResourceRecordSets", &input);
        self.answers.add(test, entry, answer);
    }

    fn change(&mut self, changes: Value) {
        change(&mut self.aws, &self.zone, changes);
    }
}

#[test]
fn lists_of_record_sets_are_those_of_aws() {
    let mut recording = Recording {
        aws: Aws::new(1),
        zone: String::new(),
        answers: Returned::default(),
    };

    for test in [
        "test_create_record_set_via_id",
        "test_create_record_set_via_name",
        "test_create_record_set_without_resource_record",
    ] {
        recording.zone = route53::create_zone(&mut recording.aws, NAME, None);
        recording.change(json!([{"Action": "CREATE", "ResourceRecordSet": {
            "Name": NAME, "Type": "A", "TTL": 900, "ResourceRecords": [{"Value": "192.0.2.99"}],
        }}]));
        recording.list(test, "record-sets");
    }

    for test in [
        "test_create_multiple_weighted_alias_target_record_sets",
        "test_update_multiple_weighted_alias_target_record_sets",
    ] {
        recording.zone = route53::create_zone(&mut recording.aws, NAME, None);
        let first = weighted("CREATE", "region-1", 255, FIRST);
        recording.change(json!([first, weighted("CREATE", "region-2", 0, SECOND)]));
        recording.list(test, "record-sets");
    }

    let test = "test_update_multiple_weighted_alias_target_record_sets";
    let first = weighted("UPSERT", "region-1", 50, FIRST);
    recording.change(json!([first, weighted("UPSERT", "region-2", 100, SECOND)]));
    recording.list(test, "record-sets-update-weights");
    recording.change(json!([weighted("UPSERT", "region-2", 100, FIRST)]));
    recording.list(test, "record-sets-update-alias-target");
    let old = weighted("DELETE", "region-2", 100, FIRST);
    recording.change(json!([old, weighted("CREATE", "region-3", 100, FIRST)]));
    recording.list(test, "record-sets-update-set-identifier");

    judge(FILE, &recording.answers, &[]);
}
