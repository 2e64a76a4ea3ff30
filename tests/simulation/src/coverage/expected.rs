//! What must have been met, whatever the seeds are.

use super::canaries::EXPECTATIONS;
use crate::draw::About;
use crate::promotion::{ALL_RECORDED, IN_ORDER, NOTHING_IN_FREEZE};
use invariants::{A_COLOUR_STAYS, A_FAILED_CANARY, A_SHARED_FAMILY, NOTHING_WHILE_FROZEN};

/// Words that must have been met, by what they are words of.
pub(super) type Expected = &'static [(&'static str, &'static [&'static str])];

/// What must have been met beside [`EXPECTED`] in a simulation about this.
pub(super) fn of(about: About) -> Expected {
    match about {
        About::Releases => EXPECTED_OF_RELEASES,
        About::Canaries => EXPECTED_OF_CANARIES,
        About::CustomActions => EXPECTED_OF_CUSTOM_ACTIONS,
        About::Traffic => EXPECTED_OF_TRAFFIC,
        About::Promotions => EXPECTED_OF_PROMOTIONS,
    }
}

/// What must have been met, whatever the seeds are and whatever the simulation is about.
pub(super) const EXPECTED: Expected = &[
    ("scaling", &["scaled", "not scaled"]),
    ("strategy", &["BlueGreen"]),
    (
        "image",
        &[
            "healthy",
            "never healthy",
            "fails after a while",
            "fails under traffic",
            "the same again",
            "replicated",
        ],
    ),
    (
        "fault",
        &[
            "a crash after a call",
            "a crash before a call",
            "a time-out after the effect",
            "calls are throttled",
            "responses are cut off",
            "credentials are not taken",
            "a hang",
            "a hang to the last moment",
            "a delivery comes twice at once",
            "a delivery comes again late",
            "a service throttles for a while",
            "an event is lost",
            "an event is late",
            "an event comes twice",
        ],
    ),
    (
        "act",
        &[
            "approve",
            "reject",
            "stop and abandon",
            "stop and wait",
            "retry the stage",
            "start by hand",
            "ask for a rollback",
            "set the count",
            "deploy by hand",
            "set the weights",
            "a task dies",
            "a task does not answer",
            "push a signature",
            "push an attestation",
            "push a referrer",
        ],
    ),
    (
        "outcome",
        &[
            "deployed",
            "unchanged",
            "rolled-back",
            "superseded",
            "failed",
        ],
    ),
];

/// What only releases without a canary meet.
pub(super) const EXPECTED_OF_RELEASES: Expected = &[
    ("shift", &["all-at-once", "linear", "listed"]),
    ("route", &["a rule", "aliases", "CNAME records"]),
    ("fault", &["Route 53 throttles for a while", BUSY_ZONE]),
    (
        "service",
        &[
            "a revision without tags",
            "a deregistered revision",
            "deployment alarms",
            "a draining instance",
            "a failed deployment",
            "a Classic Load Balancer",
            "another service of its family",
            "another service of its family with a pipeline",
            EARLY_SUCCESS,
            REBALANCED,
            RELEASED_AT_ONCE,
            ROLLED_BACK_BY_ALARM,
        ],
    ),
    (
        "checks",
        &["expected to pass", "expected to fail", "passed", "failed"],
    ),
    ("image", &["exits", "exits after a while"]),
    (
        "act",
        &[
            "an instance is busy",
            "update the stack",
            "automatic scaling adds tasks",
            "automatic scaling removes tasks",
            "another writer changes the zone",
        ],
    ),
    ("freeze", &["half an hour", "62 hours", "a line that stops"]),
    ("freeze", &FROZEN),
    (
        "invariant",
        &[A_SHARED_FAMILY, A_COLOUR_STAYS, NOTHING_WHILE_FROZEN],
    ),
];

/// What a freeze came to.
pub(super) const FROZEN: [&str; 3] = [
    "a release waits",
    "a release ends because it cannot wait",
    "a failed release stops the line",
];

/// What only releases by custom actions meet.
pub(super) const EXPECTED_OF_CUSTOM_ACTIONS: Expected = &[
    ("shift", &["linear"]),
    ("worker", &[TAKEN, RACE_LOST, NOT_PASSED_ON, WENT_ON]),
];

/// What became of the jobs of custom actions: a worker acknowledged one, and it was reported.
pub(super) const TAKEN: &str = "a job is taken and reported";

/// A worker acknowledged a job that belonged to another one.
pub(super) const RACE_LOST: &str = "a worker loses a race";

/// A worker acknowledged a job and died, or could not invoke the step.
pub(super) const NOT_PASSED_ON: &str = "a job is acknowledged and not passed on";

/// A job went on by a continuation token.
pub(super) const WENT_ON: &str = "a job goes on with a token";

/// Services of which ECS completes a deployment before its old tasks are gone.
pub(super) const EARLY_SUCCESS: &str = "early success criteria";

/// Services whose tasks ECS moves between zones.
pub(super) const REBALANCED: &str = "Availability Zone rebalancing";

/// Two services of one family, each with a release in progress.
pub(super) const RELEASED_AT_ONCE: &str = "both services of a family are released at once";

/// What another writer of the records' zone came to.
pub(super) const BUSY_ZONE: &str = "a change meets another one of its zone";

/// What deployment alarms came to.
pub(super) const ROLLED_BACK_BY_ALARM: &str = "ECS rolled back by an alarm";

pub(super) const WORSE: &str = "9 what is plainly worse is not deployed";

/// What only canaries meet.
pub(super) const EXPECTED_OF_CANARIES: Expected = &[
    (
        "verdict",
        &["promote", "rollback", "inconclusive", "none yet"],
    ),
    ("when inconclusive", &["hold", "roll back", "promote"]),
    (
        "image",
        &[
            "fails some requests",
            "fails some requests later",
            "is slower",
            "fails in bursts",
        ],
    ),
    (
        "fault",
        &[
            "points are lost",
            "points are late",
            "metrics are missing for a while",
            "metrics are throttled",
            "metrics are internal errors",
            "metrics come in small pages",
        ],
    ),
    (
        "act",
        &[
            "an alarm is active",
            "decide to promote",
            "decide to roll back",
        ],
    ),
    ("outcome", &["held"]),
    ("invariant", &[A_FAILED_CANARY, WORSE]),
    ("first summary", &EXPECTATIONS),
    ("traffic", &TRAFFIC),
    ("image", &UNUSUAL),
];

/// In what traffic is not usual.
const TRAFFIC: [&str; 11] = [
    "minutes vary",
    "bursts of one size",
    "geometric bursts",
    "bursts within a zone",
    "log-normal bursts",
    "tasks with a capacity",
    "gRPC",
    "sticky clients",
    "requests by a test rule",
    "reads lag behind",
    "scheduled scaling",
];

/// Images that only pairs with such traffic release.
const UNUSUAL: [&str; 4] = [
    "rejects some requests",
    "resets some connections",
    "never answers some requests",
    "is cold at first",
];

/// What occurs in promotions alone.
pub(super) const EXPECTED_OF_PROMOTIONS: Expected = &[
    ("mode", &["SUPERSEDED", "QUEUED"]),
    ("image", &["healthy", "never healthy", "exits"]),
    (
        "fails",
        &[
            "Build/build",
            "Dev/test",
            "CI/test",
            "UAT/test",
            "Production/test",
        ],
    ),
    (
        "fault",
        &[
            "a crash after a call",
            "a crash before a call",
            "a time-out after the effect",
            "calls are throttled",
            "responses are cut off",
            "a hang",
            "a delivery comes twice at once",
            "a delivery comes again late",
            "an event is lost",
            "an event is late",
            "an event comes twice",
        ],
    ),
    (
        "act",
        &[
            "approve",
            "reject",
            "stop and abandon",
            "stop and wait",
            "retry the stage",
            "start by hand",
            "ask for a rollback",
            "disable a transition",
        ],
    ),
    ("freeze", &["half an hour", "62 hours", "a line that stops"]),
    ("freeze", &FROZEN),
    (
        "environment",
        &[
            "orders-dev deployed",
            "orders-dev rolled-back",
            "orders-ci deployed",
            "orders-ci rolled-back",
            "orders-uat deployed",
            "orders-uat rolled-back",
            "orders-prod deployed",
            "orders-prod rolled-back",
        ],
    ),
    ("invariant", &[IN_ORDER, NOTHING_IN_FREEZE, ALL_RECORDED]),
];

/// What occurs in runs about traffic alone.
pub(super) const EXPECTED_OF_TRAFFIC: Expected = &[
    ("traffic", &TRAFFIC),
    ("verdict", &["promote", "rollback", "inconclusive"]),
    ("image", &UNUSUAL),
    ("invariant", &[WORSE]),
];
