//! What an evaluation derives from its context: which minutes are judged, which colours are
//! compared, and where the report is stored.

use std::sync::OnceLock;

use serde_json::{Value, json};
use slipway::job::{ActionKind, FailureType, Origin, parse_parameters};
use slipway::judge::canary::hour_before::{HourBefore, Measured};
use slipway::limits::METRIC_DELAY;
use slipway::observed::colour::Colour;
use slipway::observed::weights::Weights;
use slipway::release::Lease;
use slipway::strategy::canary::plan::MeasuredHour;
use slipway::strategy::canary::{BakeState, Remark, Settings};
use slipway::timestamp::Timestamp;

use super::*;
use crate::measuring::last_share;

/// 2026-01-05T10:00:00Z, the beginning of a minute.
const TEN: i64 = 1_767_607_200;

fn at(secs: i64) -> Timestamp {
    Timestamp::from_secs(secs).expect("in range")
}

fn definition(name: &str) -> String {
    format!("arn:aws:ecs:eu-west-1:111122223333:task-definition/{name}")
}

/// The ARN of something in the account's load balancing.
fn balancing(name: &str) -> String {
    format!("arn:aws:elasticloadbalancing:eu-west-1:1:{name}")
}

/// Blue is live, green is judged with 5 percent of the traffic since `shifted`.
fn lease(shifted: Option<i64>, rule: &str) -> Lease {
    let colour = |colour: &str, weight: u32, revision: u32| {
        json!({
            "target_group": balancing(&format!("targetgroup/{colour}/0123456789abcdef")),
            "weight": weight,
            "task_definition": definition(&format!("shop-{colour}:{revision}")),
            "desired_count": 2,
            "percentages": {"minimum_healthy": 100, "maximum": 200},
        })
    };
    let mut release = json!({
        "execution": "e-1", "pipeline": "slipway-shop", "state": "open",
        "began_at": at(TEN - 3_600),
        "prior": {
            "task_definition": definition("shop-blue:1"), "desired_count": 2,
            "percentages": {"minimum_healthy": 100, "maximum": 200},
            "recorded_at": at(TEN - 3_600),
            "pair": {
                "rule": balancing(rule), "live": "blue",
                "blue": colour("blue", 100, 1), "green": colour("green", 0, 7),
            },
        },
    });

    if let Some(secs) = shifted {
        release["shift"] = json!({
            "from": {"blue": 100, "green": 0}, "to": {"blue": 95, "green": 5},
            "at": at(secs), "made": true,
        });
    }

    let lease = json!({
        "v": slipway::limits::FORMAT_VERSION, "cluster": "apps", "service": "shop", "fence": 9,
        "release": release,
    });
    serde_json::from_value(lease).expect("a lease")
}

fn job(since: i64, now: i64, payload: Option<Value>) -> Job<Parameters> {
    let parameters = json!({
        "pipeline": "slipway-shop", "execution": "e-1", "cluster": "apps", "service": "shop",
        "task_definition": definition("shop-green:8"),
    });
    let (release, parameters) = parse_parameters(Some(&parameters.to_string())).expect("valid");

    Job {
        id: None,
        release,
        parameters,
        since: at(since),
        now: at(now),
        kind: ActionKind::Invoke,
        frozen: None,
        refused_for_long: false,
        payload,
        kept: OnceLock::new(),
        artifacts: Vec::new(),
        credentials: None,
        origin: Origin::Job,
    }
}

fn with_context<T>(
    job: &Job<Parameters>,
    lease: &Lease,
    read: impl FnOnce(&CanaryContext<'_>) -> T,
) -> T {
    let release = lease.release.as_ref().expect("it is held");
    let target = release.pair().expect("of a pair");
    read(&CanaryContext {
        job,
        lease: lease.clone(),
        target,
        pair: &target.prior,
    })
}

const RULE: &str = "listener-rule/app/web/50dc6c495c0c9188/f2f7dc8efc522ab2/9683b2d02a6cabee";

/// The first judged minute after 10:00, when the traffic moved and the action began this many
/// seconds after it.
fn first_minute(shifted: Option<i64>, since: i64) -> i64 {
    let lease = lease(shifted.map(|secs| TEN + secs), RULE);
    with_context(&job(TEN + since, TEN + since, None), &lease, |context| {
        context.first_minute()
    }) - TEN / 60
}

#[test]
fn the_first_judged_minute_is_the_first_whole_one_after_the_traffic_moved() {
    let of_shift = |secs: i64| first_minute(Some(secs), 60);
    assert_eq!(
        [
            of_shift(0),
            of_shift(1),
            of_shift(30),
            of_shift(59),
            of_shift(60)
        ],
        [0, 1, 1, 1, 1]
    );
}

#[test]
fn a_judgement_begins_five_minutes_before_its_action_at_the_earliest() {
    let of_action = |since: i64| first_minute(Some(30), since);
    assert_eq!(
        [
            of_action(300),
            of_action(330),
            of_action(331),
            of_action(361),
            of_action(3_630)
        ],
        [1, 1, 1, 2, 56]
    );
}

#[test]
fn without_a_shift_a_judgement_begins_with_its_action() {
    assert_eq!(
        [
            first_minute(None, 0),
            first_minute(None, 1),
            first_minute(None, 60)
        ],
        [0, 1, 1]
    );
}

#[test]
fn a_minute_is_judged_when_its_metrics_have_had_time_to_arrive() {
    let delay = i64::try_from(METRIC_DELAY.as_secs()).expect("minutes");
    assert_eq!(delay, 120);

    let bake_state = BakeState::new(TEN / 60, Vec::new(), &HourBefore::unknown(0));
    let judged = |secs: i64| {
        with_context(&job(TEN, TEN + secs, None), &lease(None, RULE), |context| {
            context.minute(&bake_state)
        })
    };

    assert_eq!(
        [
            judged(0),
            judged(179),
            judged(180),
            judged(239),
            judged(240),
            judged(3_720)
        ],
        [0, 0, 1, 1, 2, 60]
    );
}

#[test]
fn the_new_colour_is_compared_with_the_live_one() {
    let sides = with_context(&job(TEN, TEN, None), &lease(None, RULE), |context| {
        context.sides()
    })
    .expect("an Application Load Balancer");
    assert_eq!(sides.baseline.balancer, "app/web/50dc6c495c0c9188");

    let named = [&sides.canary, &sides.baseline].map(|side| {
        (
            side.colour,
            side.service.as_str(),
            side.target_group.as_str(),
            side.task_definition.as_str(),
        )
    });
    assert_eq!(
        named,
        [
            (
                Colour::Green,
                "shop-green",
                "targetgroup/green/0123456789abcdef",
                "shop-green:8"
            ),
            (
                Colour::Blue,
                "shop-blue",
                "targetgroup/blue/0123456789abcdef",
                "shop-blue:1"
            ),
        ]
    );

    let network = with_context(
        &job(TEN, TEN, None),
        &lease(None, "listener/net/web/1/2"),
        |context| context.sides(),
    )
    .expect_err("refused");
    assert_eq!(network.kind, FailureType::ConfigurationError);
    assert!(
        network.message.ends_with(
            ":listener/net/web/1/2 is not a rule of an Application Load Balancer; only its metrics \
             can be judged"
        ),
        "{network}"
    );
}

#[test]
fn a_report_is_stored_by_pipeline_execution_and_beginning() {
    let key = with_context(&job(TEN, TEN + 600, None), &lease(None, RULE), |context| {
        context.key()
    });
    assert_eq!(key, "slipway-shop/e-1/20260105T100000Z");
}

#[test]
fn the_state_of_the_previous_evaluation_is_read_from_the_token() {
    let bake_state = BakeState::new(
        29_460_060,
        vec![90.0, 200.0, 300.0],
        &HourBefore::unknown(3),
    )
    .with_hold(30);
    let read = |payload| {
        with_context(&job(TEN, TEN, payload), &lease(None, RULE), |context| {
            context.bake_state()
        })
    };

    assert_eq!(read(None), Ok(None));
    assert_eq!(read(Some(bake_state.payload())), Ok(Some(bake_state)));

    let foreign = read(Some(json!({"x": 1}))).expect_err("not of this version");
    assert!(
        foreign
            .message
            .starts_with("the continuation token was not written by this version: "),
        "{foreign}"
    );
}

/// The lease with more members of its release.
fn with(lease: &Lease, members: &Value) -> Lease {
    let mut stored = serde_json::to_value(lease).expect("JSON");
    let release = stored["release"].as_object_mut().expect("an object");
    release.extend(members.as_object().expect("an object").clone());
    serde_json::from_value(stored).expect("a lease")
}

#[test]
fn the_wait_for_a_decision_is_that_of_its_own_action() {
    let waits = |action: i64| {
        let holding = json!({"holding": {"action": at(action), "since": at(TEN + 60)}});
        let lease = with(&lease(Some(TEN), RULE), &holding);
        with_context(&job(TEN, TEN + 120, None), &lease, |context| {
            context.awaiting().is_some()
        })
    };
    assert_eq!([waits(TEN), waits(TEN - 1_800)], [true, false]);
}

#[test]
fn a_report_is_waited_for_ten_minutes_from_the_decision_to_return_the_traffic() {
    let waited = |secs: i64| {
        let now = TEN + 1_200;
        let restoring = json!({"restoring": {"reason": "5xx", "since": at(now - secs)}});
        let lease = with(&lease(Some(TEN), RULE), &restoring);
        with_context(&job(TEN, now, None), &lease, |context| {
            context.waited_for_report()
        })
    };
    assert_eq!([waited(599), waited(600)], [false, true]);
}

#[test]
fn the_last_share_counts_from_the_first_whole_minute_after_it_was_set() {
    let raised = |weights: Weights, last: Option<u32>| {
        with_context(
            &job(TEN, TEN + 700, None),
            &lease(Some(TEN + 481), RULE),
            |context| {
                let bake_state = BakeState::new(TEN / 60, Vec::new(), &HourBefore::unknown(0));
                let bake_state = bake_state.with_last_percent(last);
                let raises = context.raises(&bake_state);
                let bake_state = context.with_raise(bake_state, weights);
                (raises, bake_state.raised, context.raises(&bake_state))
            },
        )
    };
    let green = |percent| Weights::with(Colour::Green, percent);
    assert_eq!(raised(green(25), Some(25)), (true, Some(10), false));
    assert_eq!(raised(green(5), Some(25)), (true, None, true));
    assert_eq!(raised(green(5), None), (false, None, false));
}

/// The last share of a judgement with this parameter, while the new colour has this many percent.
fn last_share_of(last: u32, percent: u32, sticky: bool) -> (Option<u32>, Option<Remark>) {
    let mut job = job(TEN, TEN, None);
    job.parameters.last_percent = serde_json::from_value(json!(last)).expect("a percentage");
    let lease = lease(Some(TEN - 90), RULE);
    let health = PairHealth {
        weights: Weights::with(Colour::Green, percent),
        health: String::new(),
        sticky,
    };
    with_context(&job, &lease, |context| {
        last_share(context, &Settings::default(), &health, &slow_hour())
    })
}

/// An hour of 10,000 requests a minute without errors, of which one in ten is slow.
fn slow_hour() -> MeasuredHour {
    let slow = Measured {
        phi: 1.0,
        one_by_one: true,
        rate: 0.1,
        rate_to_promote: 0.099,
    };
    MeasuredHour {
        thresholds_ms: vec![200.0],
        prior: HourBefore {
            requests_a_minute: Some(10_000.0),
            latency: vec![slow],
            ..HourBefore::unknown(0)
        },
    }
}

#[test]
fn a_chosen_share_of_a_sticky_rule_needs_no_latency() {
    let chosen = [false, true].map(|sticky| last_share_of(0, 5, sticky));
    let largest = (Some(50), Some(Remark::ShareTooSmall));
    assert_eq!(chosen, [largest, (Some(10), None)]);
    assert_eq!(last_share_of(0, 20, true), (None, None), "it has more");
}

#[test]
fn a_last_share_that_is_no_more_than_the_first_is_not_raised_to_and_remarked_on() {
    assert_eq!(last_share_of(25, 5, false), (Some(25), None));
    for last in [3, 5] {
        let found = last_share_of(last, 5, false);
        assert_eq!(found, (None, Some(Remark::ShareNotMore)), "{last}");
    }
}
