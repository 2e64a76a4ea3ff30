//! A pair behind two weighted records: its release reads and changes them and follows the changes.

use emulator::ecr::{self, Behaviour};
use emulator::{Aws, Quirk};
use harness::demo::dns::{self, SITE};

/// The stack of its pipeline.
pub(super) const BY_RECORDS: &str = "site-pipeline";
/// The statements of its deploy role about records and what they lead to. The others are those of a
/// pair behind a rule, with which the emulator's tests compare them.
pub(super) const OF_TRAFFIC: [&str; 4] = [
    "ObserveTraffic",
    "ObserveRecords",
    "ShiftRecords",
    "FollowChange",
];

/// Parameters with which a release takes minutes.
const QUICK: [(&str, &str); 3] = [
    ("Shift", "all-at-once"),
    ("BakeMinutes", "1"),
    ("DrainMinutes", "0"),
];

/// Adds the pair, its records and its pipeline to an account, its services steady. No client keeps
/// its connection, for which a release would wait.
pub(super) fn with_pair_by_records(aws: Aws) -> Aws {
    let mut aws = dns::opened_in(aws, &QUICK, &[]).expect("the site deploys");
    aws.settle_quirk(Quirk::KeepsConnections, false);
    aws
}

/// Pushes an image to the pair.
pub(super) fn push(aws: &mut Aws) {
    ecr::push(aws, SITE, "9.15.0", Behaviour::Healthy).expect("pushed");
}
