//! Releases of a pair behind two weighted records.

use std::sync::OnceLock;

use emulator::ecr::{self, Behaviour};
use emulator::{Aws, Quirk};
use harness::demo::dns::{self, SITE};

use crate::golden::{GoldenPart, check};
use behaviour::{account, ends, push};

const PIPELINE: &str = "slipway-site";

/// Parameters with which a release moves half of the traffic, then all of it, in minutes.
const STEPS: [(&str, &str); 5] = [
    ("Shift", "listed"),
    ("Steps", "50,100"),
    ("StepMinutes", "2"),
    ("BakeMinutes", "2"),
    ("DrainMinutes", "1"),
];

/// The site before its first release. No client keeps its connection, for which it would wait.
fn site() -> Aws {
    static SITE: OnceLock<Aws> = OnceLock::new();
    let site = || dns::opened_in(account(), &STEPS, &[]).expect("the site deploys");
    let mut aws = SITE.get_or_init(site).clone();
    aws.settle_quirk(Quirk::KeepsConnections, false);
    aws
}

#[test]
fn a_release_by_records_in_steps() {
    let begin: GoldenPart = ("dns-begin", &["begin-release"]);
    let steps: GoldenPart = (
        "dns-steps",
        &["swap-records", "update-service, action retire"],
    );
    check(&[begin, steps], site(), async |driver| {
        let pushed = push(driver, SITE, "2.0.0");
        ends(driver, PIPELINE, &pushed, "deployed").await;
    });
}

#[test]
fn a_release_by_records_that_fails_under_its_first_traffic() {
    let part: GoldenPart = ("dns-failing", &["swap-records", "roll-back"]);
    check(&[part], site(), async |driver| {
        let failing = Behaviour::FailsUnderTraffic;
        let pushed = ecr::push(&mut driver.world.aws(), SITE, "2.0.0", failing).expect("pushed");
        driver.world.touch();
        ends(driver, PIPELINE, &pushed, "rolled-back").await;
    });
}
