//! Which minutes, metrics and progress a judge takes.

use super::super::*;
use super::{config, reached, resumed, specs};

#[test]
fn damaged_progress_is_refused() {
    let skipped = |ranges: &str| Progress {
        skipped: [("health".to_owned(), serde_json::from_str(ranges).unwrap())].into(),
        highest: None,
        ..reached(0.0, "health")
    };

    assert!(resumed(skipped("[[1,2],[4,4]]")).is_ok());

    let unordered = SetupError::BadProgress("has skipped minutes out of order");
    for ranges in ["[[4,4],[1,2]]", "[[1,2],[2,3]]", "[[3,1]]"] {
        assert_eq!(resumed(skipped(ranges)).unwrap_err(), unordered, "{ranges}");
    }

    let other = Progress {
        v: PROGRESS_VERSION + 1,
        ..reached(1.0, "health")
    };
    assert_eq!(
        resumed(other).unwrap_err(),
        SetupError::BadProgress("is of another version")
    );

    let stranger = SetupError::UnknownMetric {
        found: "p90".to_owned(),
        expected: "health, warning".to_owned(),
    };
    assert_eq!(resumed(reached(1.0, "p90")).unwrap_err(), stranger);
}

#[test]
fn metrics_that_cannot_be_judged_together_are_refused() {
    let refused = |change: fn(&mut Vec<MetricSpec>)| {
        let mut specs = specs();
        change(&mut specs);
        Judge::new(config(1, 30), specs).map(|_| ()).unwrap_err()
    };

    assert_eq!(
        refused(|specs| specs[1].name = "health".to_owned()),
        SetupError::SameName("health".to_owned())
    );
    assert_eq!(
        refused(|specs| specs[0].promotion = None),
        SetupError::NothingPromotes
    );

    let weights = refused(|specs| specs[1].weight = 0.500_001);
    assert!(
        matches!(&weights, SetupError::Weights { names, .. } if names == "health, warning"),
        "{weights}"
    );

    let thirds =
        |specs: &mut Vec<MetricSpec>| specs.iter_mut().for_each(|spec| spec.weight = 0.5 + 4e-10);
    let mut specs = specs();
    thirds(&mut specs);

    assert!(
        Judge::new(config(1, 30), specs).is_ok(),
        "the rest of a rounded share"
    );
}
