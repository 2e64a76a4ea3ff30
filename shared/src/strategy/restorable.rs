//! The proof, before the first change, that the prior release can still be restored.
//!
//! `begin-release` proves it before a release begins. Days may pass until the first change, as with
//! an approval, and lifecycle policies delete and archive images meanwhile. Everything here is
//! pure.

use crate::job::Failure;
use crate::limits::PRIOR_PROOF;
use crate::observed::image::NotDeployable;
use crate::observed::service::{ServiceView, revision};
use crate::timestamp::Timestamp;

/// Whether it is to be proven once more that the revision `prior`, which was recorded at
/// `recorded_at`, can be deployed: the proof of `begin-release` is old, and a rollback would start
/// tasks of a revision that has run.
#[must_use]
pub fn is_due(prior: &str, recorded_at: Timestamp, view: &ServiceView) -> bool {
    let is_old = view.observed_at.since(recorded_at) >= PRIOR_PROOF;
    is_old && view.desired > 0 && view.has_completed(prior)
}

/// Refuses the first change of a release that could not be rolled back to the revision `prior`.
///
/// # Errors
/// A ConfigurationError with what is missing and what gets out of it.
pub fn check(prior: &str, found: Option<NotDeployable>) -> Result<(), Failure> {
    let why = match found {
        None => return Ok(()),
        Some(NotDeployable::Revision) => {
            "the revision does not exist; deploy one that does".to_owned()
        }
        Some(NotDeployable::Image {
            container,
            image,
            why,
        }) => {
            let (found, remedy) = why.explained(&image);
            format!(
                "the image of container `{container}` is {image}, which is {found}; expected an \
                 image that can be pulled; {remedy}"
            )
        }
    };
    Err(Failure::configuration(format!(
        "the prior release {} can no longer be restored: {why}; then start a new release",
        revision(prior)
    )))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::observed::fixtures::{NEW, OLD, steady};
    use crate::observed::image::NotPullable;
    use crate::observed::service::Rollout;
    use crate::strategy::fixtures::at;

    #[test]
    fn a_proof_of_an_hour_ago_is_made_again_for_what_has_run_and_has_tasks() {
        assert_eq!(PRIOR_PROOF, Duration::from_secs(3_600));
        let due_after = |secs, view: &ServiceView| {
            let view = ServiceView {
                observed_at: at(secs),
                ..view.clone()
            };
            is_due(OLD, at(0), &view)
        };

        assert!(!due_after(3_599, &steady(OLD)) && due_after(3_600, &steady(OLD)));
        let stopped = ServiceView {
            desired: 0,
            ..steady(OLD)
        };
        let mut starting = steady(OLD);
        starting.deployments[0].rollout = Rollout::InProgress;
        for view in [stopped, starting, steady(NEW)] {
            assert!(!due_after(86_400, &view), "{view:?}");
        }
    }

    #[test]
    fn what_is_missing_is_named_with_what_gets_out_of_it() {
        assert_eq!(check(OLD, None), Ok(()));

        let refused = |found| check(OLD, Some(found)).expect_err("refused");
        let revision = refused(NotDeployable::Revision);
        let expected = "the prior release web:1 can no longer be restored: the revision does not \
                        exist; deploy one that does; then start a new release";
        assert_eq!(revision, Failure::configuration(expected));

        let archived = refused(NotDeployable::Image {
            container: "app".to_owned(),
            image: "web:1".to_owned(),
            why: NotPullable::Archived("aws ecr …".to_owned()),
        });
        let expected = "the prior release web:1 can no longer be restored: the image of container \
                        `app` is web:1, which is archived; expected an image that can be pulled; \
                        restore it: aws ecr …; then start a new release";
        assert_eq!(archived, Failure::configuration(expected));
    }
}
