//! Weights that an operator set and a rollback replaced: which of them the release may have set.

use std::sync::Arc;

use emulator::Call;
use serde_json::{Value, json};

use super::*;

const RULE: &str = "arn:rule";
const OPERATORS: [i64; 2] = [40, 60];
/// The attempt of the step that announces weights.
const STEP: u64 = 1;

fn weights([blue, green]: [i64; 2]) -> Value {
    json!({"blue": {"N": blue.to_string()}, "green": {"N": green.to_string()}})
}

/// The lease of a pair whose release has announced these weights, or none.
fn lease(fence: u32, execution: &str, to: Option<[i64; 2]>, is_made: bool) -> Value {
    let colour = |group: &str, weight: &str| json!({"M": {"target_group": {"S": group}, "weight": {"N": weight}}});
    let pair = json!({
        "rule": {"S": RULE},
        "live": {"S": "blue"},
        "blue": colour("b", "100"),
        "green": colour("g", "0"),
    });
    let mut release = json!({
        "execution": {"S": execution},
        "state": {"S": "open"},
        "prior": {"M": {"pair": {"M": pair}}},
    });
    if let Some(to) = to {
        release["shift"] = json!({"M": {
            "to": {"M": weights(to)},
            "at": {"S": format!("with fence {fence}")},
            "made": {"BOOL": is_made},
        }});
    }
    json!({"fence": {"N": fence.to_string()}, "release": {"M": release}})
}

fn ledger(lease: Value) -> Ledger {
    Ledger {
        leases: [("web/shop".to_owned(), Arc::new(lease))].into(),
        ..Ledger::default()
    }
}

/// A release with a step that announced weights, at an instant that the tests count seconds from.
struct Released {
    aws: Aws,
    began: Millis,
    leases: Leases,
    last: Ledger,
}

impl Released {
    fn begun() -> Self {
        let aws = Aws::new(1);
        Self {
            began: aws.now,
            aws,
            leases: Leases::default(),
            last: ledger(lease(1, "release", None, false)),
        }
    }

    /// The lease is written after so many seconds.
    fn written(mut self, secs: Millis, attempt: u64, lease: Value) -> Self {
        self.aws.now = self.began + secs * 1000;
        let call = Call {
            at: self.aws.now,
            caller: "slipway-swap-target-groups".to_owned(),
            service: "dynamodb".to_owned(),
            operation: "PutItem".to_owned(),
            error: None,
            attempt: Some(attempt),
            cut_off: false,
        };
        let next = ledger(lease);
        let written = self.leases.written(&self.aws, &call, &self.last, &next);
        written.expect("a correct write");
        self.last = next;
        self
    }

    /// The step announces the operator's weights when the release begins.
    fn announced() -> Self {
        Self::begun().written(0, STEP, lease(2, "release", Some(OPERATORS), false))
    }

    fn confirmed(self, secs: Millis) -> Self {
        self.written(secs, STEP, lease(3, "release", Some(OPERATORS), true))
    }

    /// What is wrong if roll-back, having announced the recorded weights, sets others than those
    /// that an operator set after so many seconds.
    fn overwrites(&self, set: [i64; 2], secs: Millis) -> Result<u64, String> {
        let forwards = ["b", "g"].map(ToOwned::to_owned).into_iter().zip(set);
        let is = lease(9, "release", Some([100, 0]), false);
        self.replaces(forwards.collect(), secs, is)
    }

    /// What is wrong if a step with this lease sets other weights than those that an operator set
    /// after so many seconds.
    fn replaces(&self, forwards: Forwards, secs: Millis, is: Value) -> Result<u64, String> {
        let seen = Routes::from([(RULE.to_owned(), forwards.clone())]);
        let at = self.began + secs * 1000;
        let by_hand = WeightsByHand {
            set: [(RULE.to_owned(), Set { forwards, at })].into(),
        };
        // The account has no such rule, so that its weights are others.
        by_hand.left_alone(&self.aws, &ledger(is), &self.leases, &seen)
    }
}

#[test]
fn weights_that_a_step_of_the_release_may_have_set_may_be_replaced() {
    let hangs = Released::announced();
    assert_eq!(hangs.overwrites(OPERATORS, 1), Ok(1));
    assert_eq!(hangs.overwrites(OPERATORS, 59), Ok(1));
    // It announced them when they were there.
    assert_eq!(hangs.overwrites(OPERATORS, -1), Ok(1));

    // It set them after the operator had.
    let confirmed = Released::announced().confirmed(20);
    assert_eq!(confirmed.overwrites(OPERATORS, 10), Ok(1));
}

#[test]
fn other_weights_of_an_operator_are_left_alone_while_a_step_hangs() {
    for set in [[39, 61], [60, 40], [0, 100]] {
        let wrong = Released::announced().overwrites(set, 1);
        let wrong = wrong.expect_err("overwritten");
        assert!(wrong.starts_with("invariant 8"), "{wrong}");
    }
    // What was recorded is the release's own.
    assert_eq!(Released::announced().overwrites([100, 0], 1), Ok(1));
}

#[test]
fn the_same_weights_are_left_alone_when_no_step_can_set_them_any_more() {
    let late = Released::announced().overwrites(OPERATORS, 60);
    assert!(late.is_err(), "{late:?}");
    let confirmed = Released::announced().confirmed(5).overwrites(OPERATORS, 10);
    assert!(confirmed.is_err(), "{confirmed:?}");
    let unannounced = Released::begun().overwrites(OPERATORS, 1);
    assert!(unannounced.is_err(), "{unannounced:?}");

    // A write of another attempt ends nothing.
    let other = Released::announced().written(5, 2, lease(3, "release", Some([100, 0]), false));
    assert_eq!(other.overwrites(OPERATORS, 10), Ok(1));
}

#[test]
fn a_rule_that_an_operator_led_to_other_groups_is_left_alone_whatever_is_announced() {
    let other = || vec![("other".to_owned(), 100)];
    for announced in [None, Some([100, 0])] {
        let is = lease(9, "release", announced, false);
        let wrong = Released::begun().replaces(other(), 1, is);
        assert!(wrong.is_err(), "{announced:?}: {wrong:?}");
    }
}

#[test]
fn weights_that_the_step_of_another_release_announced_are_an_operators() {
    let mut other = Released::begun();
    other.last = ledger(lease(1, "another", None, false));
    let other = other.written(0, STEP, lease(2, "another", Some(OPERATORS), false));

    let overwritten = other.overwrites(OPERATORS, 1);
    assert!(overwritten.is_err(), "{overwritten:?}");
}
