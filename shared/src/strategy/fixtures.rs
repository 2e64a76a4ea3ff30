//! The strategies, the endings and the release that tests vary.

use crate::observed::fixtures::{NEW, OLD, steady};
use crate::release::{Change, Phase, PriorService, Release, ServiceTarget, Target};
use crate::strategy::ending::Ending;
use crate::strategy::{Strategy, StrategyName};
use crate::timestamp::Timestamp;

pub(crate) use crate::timestamp::at;

/// The strategy `rolling` without any number, which the others vary.
pub(crate) const BARE: Strategy = Strategy {
    rules: StrategyName::Rolling.rules(),
    minimum_healthy_percent: None,
    minimum_healthy_tasks: None,
    maximum_percent: None,
    maximum_tasks: None,
};

pub(crate) const MAKE_ROOM: Strategy = Strategy {
    rules: StrategyName::MakeRoom.rules(),
    ..BARE
};

pub(crate) const DOUBLING: Strategy = Strategy {
    rules: StrategyName::Doubling.rules(),
    ..BARE
};

pub(crate) const BLUE_GREEN: Strategy = Strategy {
    rules: StrategyName::BlueGreen.rules(),
    ..BARE
};

pub(crate) const ENDINGS: [Ending; 8] = [
    Ending::Gone,
    Ending::Failed,
    Ending::Stopped,
    Ending::Canceled,
    Ending::Superseded,
    Ending::Succeeded,
    Ending::Unread,
    Ending::Denied,
];

/// A release of `web:2` over `web:1`, changed or not, and taken over or not.
pub(crate) fn release_in_place(changed: bool, rolling_back_since: Option<Timestamp>) -> Release {
    let change = Change {
        task_definition: NEW.to_owned(),
        percentages: steady(OLD).percentages,
        desired_count: None,
        deployment: None,
        promise: None,
        set_before: None,
        given: None,
    };
    let target = Target::Service(Box::new(ServiceTarget {
        prior: PriorService::from_view(&steady(OLD)).expect("a PRIMARY deployment"),
        change: changed.then_some(change),
    }));
    let phase = match rolling_back_since {
        None => Phase::Open(target),
        Some(since) => Phase::RollingBack {
            since,
            target: Some(target),
        },
    };

    Release {
        phase,
        ..Release::begin("e-1", "slipway-web", None, at(0))
    }
}

/// The service that a release changes.
pub(crate) fn service_of(release: &Release) -> &ServiceTarget {
    match release.target() {
        Some(Target::Service(service)) => service,
        other => panic!("{other:?} is not a service"),
    }
}

/// The change that a release of a service announced.
pub(crate) fn change_of(release: &mut Release) -> &mut Change {
    let (Phase::Open(target)
    | Phase::RollingBack {
        target: Some(target),
        ..
    }) = &mut release.phase
    else {
        panic!("nothing is recorded")
    };
    let Target::Service(service) = target else {
        panic!("not a service")
    };

    service.change.as_mut().expect("changed")
}
