//! What a dry run names in set-ups of a pair behind records that a release would refuse: with the
//! permissions of the templates, in the pipeline and by hand.

use behaviour::dry_run::{SetUp, checked, names_its_cause, no_more, nothing};
use emulator::Aws;
use harness::demo::dns::SITE;
use serde_json::json;

use super::{change, record, site, target};

/// Resolvers keep both records longer than a step waits.
fn long_ttl(aws: &mut Aws) {
    let both = [("blue", 100), ("green", 0)].map(|(colour, weight)| {
        let mut record = record(colour, weight, &target(aws, colour));
        record["ResourceRecordSet"]["TTL"] = json!(301);
        record
    });
    change(aws, &json!(both));
}

/// Another writer adds a record of the same name.
fn third_record(aws: &mut Aws) {
    change(aws, &json!([record("third", 0, "other.example.org")]));
}

fn refused_line(why: &str) -> String {
    format!("record: NG exists: the CNAME record site.example.com. {why}")
}

const SET_UPS: [SetUp; 2] = [
    SetUp {
        make: long_ttl,
        parameters: no_more,
        line: |_| {
            refused_line("has a TTL of 301 s; expected at most 300 s, for which each step waits")
        },
    },
    SetUp {
        make: third_record,
        parameters: no_more,
        line: |_| {
            refused_line(
                "has the set identifiers blue, green, third; expected exactly blue and green",
            )
        },
    },
];

#[test]
fn each_wrong_set_up_of_records_is_named_by_the_line_of_its_cause() {
    let aws = site(&[]);
    for set_up in &SET_UPS {
        names_its_cause(&aws, SITE, set_up);
    }
}

#[test]
fn a_pair_of_the_templates_behind_records_has_nothing_that_is_ng() {
    let (_, tree) = checked(&site(&[]), SITE, nothing, no_more);
    let wrong: Vec<&String> = tree.iter().filter(|line| line.contains(": NG ")).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    for check in ["exists", "target-groups", "load-balancers", "weights"] {
        let start = format!("record: OK {check}: ");
        assert!(tree.iter().any(|line| line.starts_with(&start)), "{start}");
    }
}
