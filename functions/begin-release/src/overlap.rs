//! Finds a service that the open release of another lease also changes: a lease is stored under the
//! name that a pipeline gives, and two pipelines may name one service differently, such as a pair
//! and one of its colours.
//!
//! A release never looks before it is recorded: of two that begin at once, at least the later one
//! finds the other. A dry run records nothing, and looks as if it had recorded a release.

use slipway::job::{Checks, Failure, Job, StepError};
use slipway::release::{Event, Lease, Release, apply};

use crate::check_groups::RELEASE;
use crate::target::FoundTarget;
use crate::{BeginRelease, Parameters, open_release};

impl BeginRelease {
    /// Refuses a release of a service that another open release changes, unless it has changed the
    /// service itself before: a late delivery must not fail a release in progress.
    pub(crate) async fn refuse_overlap(&self, lease: &Lease) -> Result<(), StepError> {
        if has_changed(lease) {
            return Ok(());
        }
        let listing = self.ledger.leases().await?;
        match overlap(lease, &listing.leases) {
            Some(refusal) => Err(refusal.into()),
            None => Ok(()),
        }
    }

    /// The same for a dry run, from the lease that its release would have.
    pub(crate) async fn check_overlap(
        &self,
        checks: &mut Checks,
        job: &Job<Parameters>,
        target: &FoundTarget,
    ) -> Result<(), StepError> {
        let Some(prior) = target.prior() else {
            return Ok(());
        };
        let free = Lease::unwritten(&job.release.cluster, &job.release.service);
        let release = open_release(job, self.sdk.deploy_role());
        let taken = apply(&free, Event::Taken(Box::new(release)), job.now)?;
        let planned = apply(&taken, Event::PriorRecorded(prior), job.now)?;

        let found = self.refuse_overlap(&planned).await;
        let none = |(): &()| "no other open release changes its services".to_owned();
        checks.take((RELEASE, "overlap"), found, none)?;
        Ok(())
    }
}

/// Whether the open release of a lease has changed its service, or may have.
fn has_changed(lease: &Lease) -> bool {
    let own = lease.release.as_ref();
    own.is_some_and(Release::has_announced_change)
}

/// Why the open release of a lease is refused beside the others. One that failed before its first
/// change no longer changes anything.
fn overlap(lease: &Lease, all: &[Lease]) -> Option<Failure> {
    let own = lease.services();
    let mut others = all.iter().filter(|other| !other.is_of_same_service(lease));

    others.find_map(|other| {
        let holder = other.release.as_ref()?;
        if holder.failure.is_some() && !holder.has_announced_change() {
            return None;
        }
        let theirs = other.services();
        let shared = theirs.iter().find(|service| own.contains(service))?;
        Some(Failure::configuration(format!(
            "service `{}` belongs to the open release {} of `{}`, by pipeline {}, too; expected \
             one pipeline for each service or pair; let that release end, and change one of the \
             pipelines",
            shared.name, holder.execution, other.service, holder.pipeline
        )))
    })
}

#[cfg(test)]
mod tests {
    use slipway::observed::colour::{Colour, PerColour};
    use slipway::observed::percentages::Percentages;
    use slipway::observed::route::Route;
    use slipway::release::{
        Change, PairTarget, Phase, PriorColour, PriorPair, PriorService, ServiceTarget, Target,
    };
    use slipway::timestamp::Timestamp;

    use super::*;

    const REVISION: &str = "arn:aws:ecs:eu-west-1:111122223333:task-definition/shop:1";

    fn now() -> Timestamp {
        Timestamp::from_secs(1_767_603_600).expect("in range")
    }

    fn percentages() -> Percentages {
        Percentages {
            minimum_healthy: 100,
            maximum: 200,
        }
    }

    /// The lease of `service`, held by a release of this target.
    fn held(service: &str, execution: &str, target: Target) -> Lease {
        let release = Release {
            phase: Phase::Open(target),
            ..Release::begin(execution, "slipway-shop", None, now())
        };
        Lease {
            fence: 1,
            release: Some(release),
            ..Lease::unwritten("apps", service)
        }
    }

    /// The pair `shop`, which has changed nothing yet.
    fn pair() -> Lease {
        let colour = |colour: Colour| PriorColour {
            target_group: format!("group-{colour}"),
            weight: 0,
            task_definition: REVISION.to_owned(),
            desired_count: 2,
            percentages: percentages(),
            found: None,
            suspended: None,
            schedule_suspended: None,
        };
        let prior = PriorPair {
            route: Route::Rule("rule".to_owned()),
            live: Colour::Blue,
            given_services: None,
            colours: PerColour::from_fn(colour),
        };
        let target = Target::Pair(Box::new(PairTarget::new(prior, now())));
        held("shop", "e-1", target)
    }

    /// A service by itself, changed or not.
    fn service(name: &str, changed: bool) -> Lease {
        let prior = PriorService {
            task_definition: REVISION.to_owned(),
            desired_count: 2,
            percentages: percentages(),
            early_success: None,
            found: None,
            recorded_at: now(),
        };
        let change = Change {
            task_definition: REVISION.to_owned(),
            percentages: percentages(),
            desired_count: None,
            deployment: None,
            promise: None,
            set_before: None,
            given: None,
        };
        let target = Target::Service(Box::new(ServiceTarget {
            prior,
            change: changed.then_some(change),
        }));
        held(name, "e-2", target)
    }

    fn failed(mut lease: Lease) -> Lease {
        let release = lease.release.as_mut().expect("held");
        release.failure = Some(Failure::job("unhealthy"));
        lease
    }

    #[test]
    fn a_release_is_refused_beside_an_open_one_of_its_service_under_another_name() {
        let refusal = Failure::configuration(
            "service `shop-green` belongs to the open release e-2 of `shop-green`, by pipeline \
             slipway-shop, too; expected one pipeline for each service or pair; let that release \
             end, and change one of the pipelines",
        );
        for other in [
            service("shop-green", false),
            service("shop-green", true),
            failed(service("shop-green", true)),
        ] {
            let all = [pair(), other];
            assert_eq!(overlap(&pair(), &all), Some(refusal.clone()));
        }
    }

    #[test]
    fn a_release_goes_on_beside_its_own_lease_free_ones_other_services_and_failed_releases() {
        let free = Lease {
            release: None,
            ..service("shop-green", true)
        };
        let in_another_cluster = Lease {
            cluster: "tools".to_owned(),
            ..service("shop-green", true)
        };
        for other in [
            free,
            in_another_cluster,
            service("shop", true),
            service("web", true),
            failed(service("shop-green", false)),
        ] {
            let all = [pair(), other];
            assert_eq!(overlap(&pair(), &all), None);
        }
    }

    #[test]
    fn a_release_that_has_announced_a_change_is_not_checked_any_more() {
        assert!(!has_changed(&pair()));
        assert!(!has_changed(&service("web", false)));
        assert!(!has_changed(&Lease::unwritten("apps", "web")));
        assert!(has_changed(&service("web", true)));
    }
}
