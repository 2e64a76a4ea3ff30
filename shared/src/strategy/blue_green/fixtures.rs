//! The pair that tests of blue/green vary: blue is live with 2 tasks, green is idle.

use std::time::Duration;

use super::context::PairContext;
use super::plan::ShiftPlan;
use crate::observed::colour::{Colour, PerColour};
use crate::observed::fixtures::{NEW, OLD, steady};
use crate::observed::pair::PairView;
use crate::observed::record::tests::{key, set};
use crate::observed::route::Route;
use crate::observed::scaling::ScalingView;
use crate::observed::service::TargetGroupView;
use crate::observed::weights::Weights;
use crate::release::{
    Change, PairTarget, Phase, PriorColour, PriorPair, Release, Target, TrafficShift,
};
use crate::timestamp::Timestamp;

pub(crate) const IDLE: &str = "arn:aws:ecs:eu-west-1:111122223333:task-definition/web-green:7";

pub(crate) const NO_SCALING: PerColour<Option<ScalingView>> = PerColour {
    blue: None,
    green: None,
};

/// Both colours scale by themselves.
pub(crate) fn scaling(suspended: bool) -> PerColour<Option<ScalingView>> {
    PerColour::from_fn(|_| scaled(suspended))
}

pub(crate) fn scaled(suspended: bool) -> Option<ScalingView> {
    Some(ScalingView {
        scale_in_suspended: suspended,
        schedule_suspended: suspended,
        max_capacity: 100,
    })
}

/// This many seconds before.
pub(crate) fn earlier(at: Timestamp, secs: i64) -> Timestamp {
    Timestamp::from_secs(at.secs() - secs).expect("in range")
}

fn group(colour: Colour) -> String {
    format!("arn:…:targetgroup/{colour}/0123456789abcdef")
}

/// Blue is live with 2 tasks, green is idle at none; both scale by themselves.
pub(crate) fn pair() -> PriorPair {
    let colour = |colour: Colour, weight, task_definition: &str, desired_count| PriorColour {
        target_group: group(colour),
        weight,
        task_definition: task_definition.to_owned(),
        desired_count,
        percentages: steady(OLD).percentages,
        found: None,
        suspended: Some(false),
        schedule_suspended: Some(false),
    };

    PriorPair {
        route: Route::Rule("arn:…:listener-rule/app/web/1/2/3".to_owned()),
        live: Colour::Blue,
        given_services: None,
        colours: PerColour {
            blue: colour(Colour::Blue, 100, OLD, 2),
            green: colour(Colour::Green, 0, IDLE, 0),
        },
    }
}

/// Two records with a TTL of 30 seconds.
pub(crate) fn records() -> Route {
    let sets = [set(Colour::Blue, 100), set(Colour::Green, 0)];
    let seen = key().view(&sets).expect("weighted records");
    Route::Record(Box::new(seen.pair))
}

/// Both colours with 2 steady tasks, green on `definition`.
pub(crate) fn view_of(definition: &str, weights: Weights) -> PairView {
    let service = |task_definition: &str, colour| {
        let mut service = steady(task_definition);
        service.target_groups = vec![TargetGroupView {
            arn: group(colour),
            healthy: 2,
            registered: 2,
            unreachable: 0,
            healthy_newcomers: 0,
        }];
        service
    };

    PairView {
        observed_at: steady(OLD).observed_at,
        weights,
        services: PerColour {
            blue: service(OLD, Colour::Blue),
            green: service(definition, Colour::Green),
        },
    }
}

/// As [`view_of`], with green as it was recorded.
pub(crate) fn view(weights: Weights) -> PairView {
    view_of(IDLE, weights)
}

/// Green has half of the traffic; this many tasks are desired and healthy in both colours.
pub(crate) fn halves(blue: [u32; 2], green: [u32; 2]) -> PairView {
    let mut view = view_of(NEW, Weights::with(Colour::Green, 50));
    let PerColour {
        blue: old,
        green: new,
    } = &mut view.services;

    for (service, [desired, healthy]) in [(old, blue), (new, green)] {
        service.desired = desired;
        service.running = desired;
        service.proven = desired;
        service.deployments[0].running = desired;
        service.target_groups[0].healthy = healthy;
    }

    view
}

/// Green is as it was recorded, without tasks.
pub(crate) fn emptied(weights: Weights) -> PairView {
    let mut view = view(weights);
    let green = &mut view.services.green;
    green.desired = 0;
    green.running = 0;
    green.deployments[0].running = 0;
    green.target_groups[0].healthy = 0;
    view
}

/// The pair of a release that set these weights.
pub(crate) fn target(view: &PairView, shifted: Option<Weights>) -> PairTarget {
    PairTarget {
        change: Some(Change {
            task_definition: NEW.to_owned(),
            percentages: pair().of(Colour::Green).percentages,
            desired_count: Some(2),
            deployment: None,
            promise: None,
            set_before: None,
            given: None,
        }),
        shift: shifted.map(|to| TrafficShift {
            from: pair().weights(),
            to,
            // Long enough ago that no read can be older.
            at: earlier(view.observed_at, 600),
            made: true,
            change: None,
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

pub(crate) fn context<'a>(target: &'a PairTarget, view: &'a PairView) -> PairContext<'a> {
    PairContext { target, view }
}

/// 20 %, 50 % and 100 %, for 2 and 10 minutes, of a colour that was filled with 2 tasks.
pub(crate) fn plan() -> ShiftPlan {
    ShiftPlan {
        task_definition: NEW.to_owned(),
        steps: vec![20, 50, 100],
        step_bake: Duration::from_secs(120),
        last_bake: Duration::from_secs(600),
        filled: 2,
        answers: Duration::ZERO,
        minimum_healthy_percent: 75,
        max_capacity: None,
    }
}

/// Green has this share of the traffic and this many healthy targets.
pub(crate) fn seen(percent: u32, healthy: u32) -> PairView {
    let mut view = view_of(NEW, Weights::with(Colour::Green, percent));
    view.services.green.target_groups[0].healthy = healthy;
    view
}

/// The pair of a release that set `percent` this many seconds before the observation, confirmed or
/// not.
pub(crate) fn shifted_target(view: &PairView, shifted: Option<(u32, i64, bool)>) -> PairTarget {
    let shift = shifted.map(|(percent, ago, made)| TrafficShift {
        from: Weights::with(Colour::Green, 0),
        to: Weights::with(Colour::Green, percent),
        at: earlier(view.observed_at, ago),
        made,
        change: None,
        known: Vec::new(),
    });
    PairTarget {
        shift,
        ..target(view, None)
    }
}
