//! What a promotion writes down, by value.

use emulator::Aws;
use harness::demo::SHOP;
use serde_json::{Value, json};

use super::endings::outputs;
use super::{GOOD, Released};
use behaviour::shop::{judged, reports};
use behaviour::{pair, recorded};

/// A release whose judgement promoted it.
struct Promoted {
    aws: &'static Aws,
    execution: &'static str,
    /// Where the page of the report is.
    report: String,
    /// Key of the page and its JSON, without an extension.
    key: String,
    /// The JSON of the report.
    stored: Value,
}

fn promoted() -> Promoted {
    let Released { aws, execution } = &*GOOD;
    let [outcome, reason] = ["outcome", "reason"].map(|name| recorded(aws, execution, name));
    assert_eq!(outcome.as_deref(), Some("deployed"), "{reason:?}");

    let report = judged(aws, execution).remove(0).1;
    let page = report
        .strip_prefix("s3://")
        .and_then(|rest| rest.split_once('/'))
        .expect("a place in a bucket")
        .1;
    let key = page.strip_suffix(".html").expect("a page").to_owned();
    let all = reports(aws);
    let json = &all
        .iter()
        .find(|(found, _)| *found == format!("{key}.json"))
        .expect("JSON beside the page")
        .1;
    assert!(all.iter().any(|(found, _)| found == page), "{page}");

    Promoted {
        stored: serde_json::from_str(json).expect("JSON"),
        aws,
        execution,
        report,
        key,
    }
}

/// The output variables have the numbers of the report, and the record keeps them.
fn check_outputs(promoted: &Promoted) {
    let Promoted {
        aws,
        execution,
        stored,
        ..
    } = promoted;
    let requests: u64 = stored["minutes"]
        .as_array()
        .expect("minutes")
        .iter()
        .filter_map(|minute| {
            let errors = &minute["readings"][0];
            errors["used"].as_u64().and(errors["c"]["n"].as_u64())
        })
        .sum();
    let evidence = |name: &str| {
        format!(
            "{:.3}",
            stored["verdict"][name]
                .as_f64()
                .expect("a number")
                .exp()
                .min(1e9)
        )
    };
    let expected = [
        ("CanaryRequests", requests.to_string()),
        ("EvidenceOfHarm", evidence("log_e")),
        ("EvidenceOfHealth", evidence("log_e_promote")),
        ("Minutes", stored["verdict"]["minute"].to_string()),
        ("Report", promoted.report.clone()),
        ("Verdict", "promote".to_owned()),
    ];
    assert_eq!(
        outputs(aws, execution, "judge"),
        expected.map(|(name, value)| (name.to_owned(), value))
    );
    assert_ne!(evidence("log_e"), evidence("log_e_promote"));

    let record = invariants::ledger_reader::record(aws, execution).expect("a record");
    let kept = &record["judged"]["L"][0]["M"]["outputs"]["M"];
    for (name, value) in outputs(aws, execution, "judge") {
        assert_eq!(kept[&name]["S"], json!(value), "{name}");
    }
}

/// The report names what was judged, and its key has the instant at which the judgement began.
fn check_facts(promoted: &Promoted) {
    let stored = &promoted.stored;
    let definitions = pair::definitions(promoted.aws)
        .map(|arn| arn.rsplit_once('/').expect("an ARN").1.to_owned());
    assert_eq!(stored["name"], json!(format!("{SHOP} {}", definitions[0])));

    let facts: Vec<(&str, &str)> = stored["facts"]
        .as_array()
        .expect("facts")
        .iter()
        .filter_map(|fact| Some((fact["name"].as_str()?, fact["value"].as_str()?)))
        .collect();
    let (canary, baseline) = (
        format!("{} in shop-blue", definitions[0]),
        format!("{} in shop-green", definitions[1]),
    );
    let execution = promoted.execution;
    assert_eq!(
        facts[..4],
        [
            ("Pipeline", pair::PIPELINE),
            ("Execution", execution),
            ("Canary", canary.as_str()),
            ("Baseline", baseline.as_str()),
        ]
    );

    let instants: Vec<String> = facts[4..]
        .iter()
        .map(|(name, at)| format!("{name} {}", &at[at.len() - 1..]))
        .collect();
    assert_eq!(instants, ["Began Z", "Ended Z"]);

    let began: String = facts[4]
        .1
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect();
    assert_eq!(
        promoted.key,
        format!("{}/{execution}/{began}", pair::PIPELINE)
    );
}

#[test]
fn a_promotion_has_outputs_facts_and_numbers_that_agree() {
    let promoted = promoted();
    check_outputs(&promoted);
    check_facts(&promoted);
}
