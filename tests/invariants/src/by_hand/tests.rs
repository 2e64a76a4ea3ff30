//! Weights that an operator set and a rollback replaced: which of them the release may have set.

use std::sync::Arc;

use serde_json::{Value, json};

use super::*;

const RULE: &str = "arn:rule";
const RECORDED: [i64; 2] = [100, 0];
const OPERATORS: [i64; 2] = [40, 60];
const OTHERS: [i64; 2] = [70, 30];

/// The attempt of a step that announces weights, that of a later step, and that of roll-back.
const STEP: u64 = 1;
const LATER: u64 = 2;
const BACK: u64 = 3;

/// The last announced shift of a lease.
#[derive(Clone, Copy)]
struct Shift {
    from: [i64; 2],
    to: [i64; 2],
    at: Millis,
    is_made: bool,
}

impl Shift {
    fn stored(self) -> Value {
        let weights = |[blue, green]: [i64; 2]| {
            let number = |weight: i64| json!({"N": weight.to_string()});
            json!({"M": {"blue": number(blue), "green": number(green)}})
        };
        json!({"M": {
            "from": weights(self.from),
            "to": weights(self.to),
            "at": {"S": format!("{} s", self.at)},
            "made": {"BOOL": self.is_made},
        }})
    }
}

/// A write of an attempt.
fn call(aws: &Aws, attempt: u64) -> Call {
    Call {
        at: aws.now,
        caller: "slipway-swap-target-groups".to_owned(),
        service: "dynamodb".to_owned(),
        operation: "PutItem".to_owned(),
        error: None,
        attempt: Some(attempt),
        cut_off: false,
    }
}

fn ledger(lease: Value) -> Ledger {
    Ledger {
        leases: [("web/shop".to_owned(), Arc::new(lease))].into(),
        ..Ledger::default()
    }
}

/// A release of a pair that announces weights, at instants that the tests count in seconds.
#[derive(Clone)]
struct Released {
    aws: Aws,
    began: Millis,
    execution: &'static str,
    fence: u32,
    shift: Option<Shift>,
    leases: Leases,
    last: Ledger,
}

impl Released {
    fn begun(execution: &'static str) -> Self {
        let aws = Aws::new(1);
        let mut released = Self {
            began: aws.now,
            aws,
            execution,
            fence: 1,
            shift: None,
            leases: Leases::default(),
            last: Ledger::default(),
        };
        released.last = ledger(released.lease());
        released
    }

    fn lease(&self) -> Value {
        let colour = |group: &str, weight: &str| json!({"M": {"target_group": {"S": group}, "weight": {"N": weight}}});
        let pair = json!({
            "rule": {"S": RULE},
            "live": {"S": "blue"},
            "blue": colour("b", "100"),
            "green": colour("g", "0"),
        });
        let mut release = json!({
            "execution": {"S": self.execution},
            "state": {"S": "open"},
            "prior": {"M": {"pair": {"M": pair}}},
        });
        if let Some(shift) = self.shift {
            release["shift"] = shift.stored();
        }
        json!({"fence": {"N": self.fence.to_string()}, "release": {"M": release}})
    }

    /// An attempt writes the lease after so many seconds.
    fn written(mut self, secs: Millis, attempt: u64) -> Self {
        self.fence += 1;
        self.aws.now = self.began + secs * 1000;
        let next = ledger(self.lease());
        let call = call(&self.aws, attempt);
        let written = self.leases.written(&self.aws, &call, &self.last, &next);
        written.expect("a correct write");
        self.last = next;
        self
    }

    fn announced(mut self, secs: Millis, attempt: u64, to: [i64; 2]) -> Self {
        self.shift = Some(Shift {
            from: self.shift.map_or(RECORDED, |shift| shift.to),
            to,
            at: secs,
            is_made: false,
        });
        self.written(secs, attempt)
    }

    fn confirmed(mut self, secs: Millis, attempt: u64) -> Self {
        self.shift = self.shift.map(|shift| Shift {
            at: secs,
            is_made: true,
            ..shift
        });
        self.written(secs, attempt)
    }

    /// Whether roll-back may announce the recorded weights and set them in place of those that an
    /// operator set after so many seconds.
    fn may_replace(&self, set: [i64; 2], secs: Millis) -> bool {
        let forwards = ["b", "g"].map(ToOwned::to_owned).into_iter().zip(set);
        let back = self.clone().announced(secs.max(0) + 1, BACK, RECORDED);
        back.replaces(forwards.collect(), secs).is_ok()
    }

    /// What is wrong if roll-back sets other weights than those that an operator set after so many
    /// seconds.
    fn replaces(&self, forwards: Forwards, secs: Millis) -> Result<u64, String> {
        let seen = Routes::from([(RULE.to_owned(), forwards.clone())]);
        let at = self.began + secs * 1000;
        let by_hand = WeightsByHand {
            set: [(RULE.to_owned(), Set { forwards, at })].into(),
        };
        let call = call(&self.aws, BACK);
        // The account has no such rule, so that its weights are others.
        by_hand.left_alone(&self.aws, &call, &self.last, &self.leases, &seen)
    }
}

/// A release whose step announced the operator's weights when it began.
fn announced() -> Released {
    Released::begun("release").announced(0, STEP, OPERATORS)
}

/// The same release after two other shifts, before each of which no attempt could set the weights
/// of the one before any more.
fn shifted_on(released: Released) -> Released {
    let released = released.announced(100, LATER, OTHERS);
    released.announced(200, LATER, [60, 40])
}

/// The same release after another attempt announced other weights after so many seconds, which were
/// recorded as set long after that.
fn overtaken(released: Released, secs: Millis) -> Released {
    let released = released.announced(secs, LATER, OTHERS);
    released.confirmed(400, LATER)
}

#[test]
fn weights_that_a_step_of_the_release_may_have_set_may_be_replaced() {
    let hangs = shifted_on(announced());
    assert!(hangs.may_replace(OPERATORS, 59));
    // It announced them when they were there.
    assert!(hangs.may_replace(OPERATORS, -1));
    assert!(!hangs.may_replace(OPERATORS, 60));

    // It set them after the operator had.
    let confirmed = shifted_on(announced().confirmed(20, STEP));
    assert!(confirmed.may_replace(OPERATORS, 19));
    assert!(!confirmed.may_replace(OPERATORS, 20));

    // A write of another attempt ends nothing.
    let other = shifted_on(announced().written(5, LATER));
    assert!(other.may_replace(OPERATORS, 59));
}

#[test]
fn the_weights_that_were_announced_last_may_be_replaced_however_late() {
    let confirmed = announced().confirmed(5, STEP);
    for released in [announced(), confirmed] {
        assert!(released.may_replace(OPERATORS, 1));
        assert!(released.may_replace(OPERATORS, 1200));
    }
}

#[test]
fn the_weights_before_the_last_shift_may_be_replaced_while_it_may_not_be_seen() {
    let unmade = announced().announced(100, LATER, OTHERS);
    assert!(unmade.may_replace(OPERATORS, 1200));

    let made = unmade.confirmed(105, LATER);
    assert!(made.may_replace(OPERATORS, 404));
    assert!(!made.may_replace(OPERATORS, 405));
}

#[test]
fn weights_that_a_step_may_have_set_after_the_next_ones_may_be_replaced() {
    // The lease is dated up to one call before it is written.
    let [soon, late] = [72, 73].map(|secs| overtaken(announced(), secs));
    assert!(soon.may_replace(OPERATORS, 1200));
    assert!(!late.may_replace(OPERATORS, 1200));

    let [soon, late] = [92, 93].map(|secs| overtaken(announced().confirmed(20, STEP), secs));
    assert!(soon.may_replace(OPERATORS, 1200));
    assert!(!late.may_replace(OPERATORS, 1200));

    // That the last weights were announced in time after these does not help.
    let again = late.announced(410, LATER, [60, 40]);
    assert!(again.may_replace(OTHERS, 1200));
    assert!(!again.may_replace(OPERATORS, 1200));
}

#[test]
fn other_weights_of_an_operator_are_left_alone_while_a_step_hangs() {
    for set in [[39, 61], [60, 40], [0, 100]] {
        assert!(!announced().may_replace(set, 1), "{set:?}");
    }
    // What was recorded is the release's own.
    assert!(announced().may_replace(RECORDED, 1));

    let unannounced = Released::begun("release");
    assert!(!unannounced.may_replace(OPERATORS, 1));
}

#[test]
fn a_rule_that_an_operator_led_to_other_groups_is_left_alone_whatever_is_announced() {
    let begun = Released::begun("release");
    let announced = begun.clone().announced(0, BACK, RECORDED);
    for released in [begun, announced] {
        let wrong = released.replaces(vec![("other".to_owned(), 100)], 1);
        let wrong = wrong.expect_err("overwritten");
        assert!(wrong.starts_with("invariant 8"), "{wrong}");
    }
}

#[test]
fn weights_that_the_step_of_another_release_announced_are_an_operators() {
    let other = Released::begun("another").announced(0, STEP, OPERATORS);
    let back = other.announced(1, BACK, RECORDED);
    let may_be_own = |execution| {
        let call = call(&back.aws, BACK);
        let found = OPERATORS.map(Some);
        back.leases.may_be_own(&call, execution, found, back.began)
    };

    assert!(may_be_own("another"));
    assert!(!may_be_own("release"));
}
