use super::*;
use crate::observed::service::TargetGroupView;
use crate::observed::service::tests::{NEW, OLD, steady};
use crate::release::{Change, PairTarget, Phase, Release, Target};

/// So many seconds before.
pub(crate) fn earlier(at: Timestamp, secs: i64) -> Timestamp {
    Timestamp::from_secs(at.secs() - secs).expect("in range")
}

pub(crate) const IDLE: &str = "arn:aws:ecs:eu-west-1:111122223333:task-definition/web-green:7";

fn group(colour: Colour) -> String {
    format!("arn:…:targetgroup/{colour}/0123456789abcdef")
}

/// Blue is live with 2 tasks, green is idle at none; blue scales by itself.
pub(crate) fn pair() -> PriorPair {
    let colour = |colour: Colour, weight, task_definition: &str, desired_count| PriorColour {
        target_group: group(colour),
        weight,
        task_definition: task_definition.to_owned(),
        desired_count,
        percentages: steady(OLD).percentages,
        suspended: Some(false),
    };
    PriorPair {
        rule: "arn:…:listener-rule/app/web/1/2/3".to_owned(),
        live: Colour::Blue,
        blue: colour(Colour::Blue, 100, OLD, 2),
        green: colour(Colour::Green, 0, IDLE, 0),
    }
}

/// Both colours with 2 steady tasks, green on `definition`.
pub(crate) fn view_of(definition: &str, weights: Weights) -> PairView {
    let service = |task_definition: &str, colour| {
        let mut service = steady(task_definition);
        service.target_groups = vec![TargetGroupView {
            arn: group(colour),
            healthy: 2,
            registered: 2,
        }];
        service
    };
    let (blue, green) = (
        service(OLD, Colour::Blue),
        service(definition, Colour::Green),
    );
    PairView {
        observed_at: blue.observed_at,
        weights,
        blue,
        green,
    }
}

/// The pair of a release that set these weights.
pub(crate) fn target(view: &PairView, shifted: Option<Weights>) -> PairTarget {
    PairTarget {
        change: Some(Change {
            task_definition: NEW.to_owned(),
            percentages: pair().green.percentages,
            desired_count: Some(2),
            deployment: None,
        }),
        shift: shifted.map(|to| TrafficShift {
            from: pair().weights(),
            to,
            // Long enough ago that no read can be older.
            at: earlier(view.observed_at, 600),
            made: true,
            known: Vec::new(),
        }),
        scale_in_suspended: Some(true),
        ..PairTarget::new(pair(), view.observed_at)
    }
}

/// A release of the pair that is open.
pub(crate) fn open(target: &PairTarget) -> Release {
    Release {
        phase: Phase::Open(Target::Pair(Box::new(target.clone()))),
        ..Release::begin("e-1", "slipway-web", None, target.recorded_at)
    }
}

/// A release of the pair that is being rolled back.
pub(crate) fn rolling_back(target: &PairTarget, since: Timestamp) -> Release {
    let phase = Phase::RollingBack {
        since,
        target: Some(Target::Pair(Box::new(target.clone()))),
    };
    Release {
        phase,
        ..open(target)
    }
}

pub(crate) fn view(weights: Weights) -> PairView {
    view_of(IDLE, weights)
}

#[test]
fn a_share_and_the_rest_make_a_hundred() {
    for percent in 0..=100 {
        let weights = Weights::with(Colour::Green, percent);
        assert_eq!(
            (weights.percent(Colour::Green), weights.blue + weights.green),
            (percent, 100)
        );
        assert_eq!(
            weights.of(Colour::Green),
            Weights::with(Colour::Blue, percent).blue
        );
    }
    assert_eq!(Weights { blue: 1, green: 3 }.percent(Colour::Green), 75);
}

#[test]
fn live_is_who_has_all_of_the_traffic() {
    let live = |blue, green| Weights { blue, green }.live();
    assert_eq!(
        [live(1, 0), live(0, 999)],
        [Some(Colour::Blue), Some(Colour::Green)]
    );
    assert_eq!([live(0, 0), live(90, 10)], [None, None]);
}

#[test]
fn the_services_of_a_pair_bear_the_name_of_their_colour() {
    assert_eq!(Colour::Blue.service("shop"), "shop-blue");
    assert_eq!(
        Colour::Green.service("arn:aws:ecs:eu-west-1:111122223333:service/apps/shop"),
        "arn:aws:ecs:eu-west-1:111122223333:service/apps/shop-green"
    );
    assert_eq!(
        [Colour::Blue.other(), Colour::Green.other()],
        [Colour::Green, Colour::Blue]
    );
    assert_eq!(
        Weights { blue: 7, green: 12 }.to_string(),
        "blue 7 / green 12"
    );
}

#[test]
fn a_share_is_of_the_sum_of_both_weights_and_rounded_down() {
    let share = |blue, green| {
        let weights = Weights { blue, green };
        [
            weights.percent(Colour::Blue),
            weights.percent(Colour::Green),
        ]
    };
    assert_eq!(share(2, 1), [66, 33]);
    assert_eq!(share(0, 7), [0, 100]);
    assert_eq!(share(999, 999), [50, 50]);
    assert_eq!(share(1, 999), [0, 99]);
    assert_eq!(share(0, 0), [0, 0]);
    assert_eq!(
        Weights::with(Colour::Blue, 101),
        Weights {
            blue: 100,
            green: 0
        }
    );
}

#[test]
fn healthy_targets_are_those_of_the_colour_s_group_in_the_rule() {
    let mut seen = view(pair().weights());
    let other = TargetGroupView {
        arn: "arn:…:targetgroup/internal/1".to_owned(),
        healthy: 9,
        registered: 9,
    };
    seen.blue.target_groups.insert(0, other.clone());
    seen.green.target_groups = vec![other];
    assert_eq!(
        (
            seen.healthy(&pair(), Colour::Blue),
            seen.healthy(&pair(), Colour::Green)
        ),
        (2, 0)
    );
}

#[test]
fn the_weights_before_a_shift_are_known_until_it_is_made() {
    let [a, b, c] = [0, 20, 50].map(|percent| Weights::with(Colour::Green, percent));
    let at = Timestamp::from_secs(1_767_603_600).expect("in range");
    let shift = |made, known: &[Weights]| TrafficShift {
        from: a,
        to: b,
        at,
        made,
        known: known.to_vec(),
    };
    assert_eq!(shift(false, &[]).announced(), [a, b]);
    assert_eq!(shift(true, &[]).announced(), [b]);
    assert_eq!(shift(true, &[c, a]).announced(), [c, a, b]);
    assert_eq!(shift(false, &[b, a]).announced(), [b, a]);
}
