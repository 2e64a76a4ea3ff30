use super::*;
use crate::observed::fixtures::{NEW, OLD, deployment, steady};
use crate::release::{Phase, PriorService, Target};
use crate::strategy::fixtures::{at, change_of, release_in_place as release, service_of};

mod closing;
mod counts;
mod giving_back;
mod restoring;

fn prior() -> PriorService {
    PriorService::from_view(&steady(OLD)).expect("a PRIMARY deployment")
}

fn restored(
    release: &Release,
    ending: Ending,
    view: &ServiceView,
    now: Timestamp,
) -> Restoration<ServiceChange> {
    restoration(release, service_of(release), ending, view, now)
}

fn restores(percentages: Percentages) -> Restoration<ServiceChange> {
    Restoration::Apply(ServiceChange::Restore(percentages))
}

fn count_of(release: &Release, view: &ServiceView) -> Option<u32> {
    restored_count(service_of(release), view)
}

/// What a release that is being rolled back returns to.
fn prior_of(release: &mut Release) -> &mut PriorService {
    let Phase::RollingBack {
        target: Some(Target::Service(service)),
        ..
    } = &mut release.phase
    else {
        panic!("no service is being rolled back")
    };
    &mut service.prior
}
