//! The percentages of a rollback follow the count, as those of its release did.

use super::*;
use crate::release::{Promise, PromisedBound};

/// At least three tasks stay healthy, which is 75 % of four, and none more are started.
const THREE: Promise = Promise {
    minimum: PromisedBound::Tasks(3),
    maximum: PromisedBound::Percent(100),
};

fn percentages(minimum_healthy: u32) -> Percentages {
    Percentages {
        minimum_healthy,
        maximum: 100,
    }
}

/// A release that was made with the promise and four tasks, of which two were recorded.
fn promising() -> Release {
    let mut release = release(true, Some(at(0)));
    let change = change_of(&mut release);
    change.promise = Some(THREE);
    change.percentages = percentages(75);
    release
}

fn of_count(task_definition: &str, desired: u32, minimum_healthy: u32) -> ServiceView {
    ServiceView {
        desired,
        percentages: percentages(minimum_healthy),
        ..steady(task_definition)
    }
}

#[test]
fn a_rollback_keeps_the_promise_of_the_count_that_the_service_will_have() {
    let next = |view: &ServiceView| restored(&promising(), Ending::Failed, view, at(60));

    assert_eq!(next(&of_count(NEW, 4, 75)), restores(percentages(75)));
    assert_eq!(next(&of_count(NEW, 20, 75)), restores(percentages(15)));
    // Three of two recorded tasks leave none to replace.
    assert_eq!(next(&of_count(NEW, 1, 75)), restores(prior().percentages));
}

#[test]
fn the_percentages_of_a_rollback_follow_the_count_until_it_has_ended() {
    let release = promising();
    let next = |view: &ServiceView| restored(&release, Ending::Failed, view, at(60));

    // Automatic scaling goes on while the prior release starts.
    assert_eq!(next(&of_count(OLD, 20, 75)), restores(percentages(15)));
    assert!(matches!(next(&of_count(OLD, 4, 75)), Restoration::Wait(_)));
    let others = of_count(OLD, 20, 60);
    assert!(
        matches!(next(&others), Restoration::Wait(_)),
        "another writer's"
    );
    assert_eq!(next(&of_count(OLD, 2, 75)), restores(prior().percentages));
}
