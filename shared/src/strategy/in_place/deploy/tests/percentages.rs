//! Percentages after the change: they follow the count during the rollout and are given back at its
//! end.

use super::*;

const PLANNED: Percentages = Percentages {
    minimum_healthy: 75,
    maximum: 100,
};

const ANNOUNCED: Percentages = Percentages {
    minimum_healthy: 50,
    maximum: 100,
};

/// What the change was made with, before the count changed for the first time.
const MADE_WITH: Percentages = Percentages {
    minimum_healthy: 66,
    maximum: 100,
};

const EXTERNAL: Percentages = Percentages {
    minimum_healthy: 60,
    maximum: 150,
};

/// The change as it was announced and made.
fn made() -> Change {
    Change {
        percentages: ANNOUNCED,
        desired_count: Some(4),
        deployment: Some("ecs-svc/2".to_owned()),
        ..goal(NEW).change
    }
}

/// The next step when these percentages are planned for the count by now.
fn next(planned: Percentages, view: &ServiceView, secs: u64) -> DeployStep {
    next_after(&made(), planned, view, secs)
}

fn next_after(
    announced: &Change,
    planned: Percentages,
    view: &ServiceView,
    secs: u64,
) -> DeployStep {
    let mut goal = goal(NEW);
    goal.change.percentages = planned;
    goal.made_with = MADE_WITH;
    goal.recorded.early_success = Some(80);
    next_step(
        &goal,
        &DeployContext {
            announced: Some(announced),
            before: before(OLD),
            view,
            was_seen: false,
            elapsed: Duration::from_secs(secs),
            since_change: Some(Duration::ZERO),
        },
    )
}

fn at(percentages: Percentages, view: ServiceView) -> ServiceView {
    ServiceView {
        percentages,
        ..view
    }
}

fn arrived() -> ServiceView {
    let mut view = steady(NEW);
    view.deployments[0].id = "ecs-svc/2".to_owned();
    view
}

#[test]
fn percentages_follow_the_count_while_the_rollout_is_in_progress() {
    let expected = DeployStep::SetPercentages(NewPercentages {
        announced: Change {
            percentages: PLANNED,
            set_before: Some(ANNOUNCED),
            ..made()
        },
        bounds: RolloutBounds {
            percentages: PLANNED,
            early_success: None,
        },
        summary: "the percentages follow the count of 2 tasks: at least 2 healthy, at most 2 \
            running"
            .to_owned(),
        required: true,
    });
    let rolling = at(ANNOUNCED, rolling());
    assert_eq!(next(PLANNED, &rolling, 60), expected);
    assert_eq!(next(PLANNED, &rolling, 1_799), expected);

    // Set, as planned before, too late, or refused by ECS.
    assert!(matches!(
        next(PLANNED, &at(PLANNED, rolling.clone()), 60),
        DeployStep::Wait { .. }
    ));
    assert!(matches!(
        next(ANNOUNCED, &rolling, 60),
        DeployStep::Wait { .. }
    ));
    assert!(matches!(
        next(PLANNED, &rolling, 1_800),
        DeployStep::Fail { .. }
    ));
    let rebalanced = ServiceView {
        rebalancing: true,
        ..rolling
    };
    assert!(matches!(
        next(PLANNED, &rebalanced, 60),
        DeployStep::Wait { .. }
    ));
}

#[test]
fn percentages_whose_successors_were_lost_follow_the_count() {
    let shown = Percentages {
        minimum_healthy: 95,
        maximum: 100,
    };
    let lost = Change {
        set_before: Some(shown),
        ..made()
    };
    let DeployStep::SetPercentages(new) = next_after(&lost, ANNOUNCED, &at(shown, rolling()), 60)
    else {
        panic!("it is set")
    };
    assert_eq!(new.bounds.percentages, ANNOUNCED);
    assert_eq!(new.announced.set_before, Some(shown));

    let recorded = goal(NEW).recorded.percentages;
    let DeployStep::SetPercentages(new) = next_after(&lost, ANNOUNCED, &at(shown, arrived()), 60)
    else {
        panic!("it is restored")
    };
    assert_eq!(new.bounds.percentages, recorded);
}

#[test]
fn only_percentages_of_the_release_follow_the_count() {
    // What was announced last does not show yet, or was never set.
    for planned in [PLANNED, ANNOUNCED] {
        let DeployStep::SetPercentages(new) = next(planned, &at(MADE_WITH, rolling()), 60) else {
            panic!("it is set")
        };
        assert_eq!(new.bounds.percentages, planned);
    }

    // Another writer set them since.
    for planned in [PLANNED, ANNOUNCED] {
        assert!(matches!(
            next(planned, &at(EXTERNAL, rolling()), 60),
            DeployStep::Wait { .. }
        ));
    }
}

#[test]
fn the_recorded_percentages_are_given_back_when_the_rollout_has_ended() {
    let recorded = goal(NEW).recorded.percentages;
    let expected = DeployStep::SetPercentages(NewPercentages {
        announced: made(),
        bounds: RolloutBounds {
            percentages: recorded,
            early_success: Some(80),
        },
        summary: "web:2 is steady; restoring its own percentages: at least 2 healthy, at most 4 \
            running"
            .to_owned(),
        required: false,
    });
    let done = DeployStep::Done {
        summary: "web:2 runs 2 of 2 tasks, steady".to_owned(),
    };
    let borrowed = at(ANNOUNCED, arrived());

    // Whatever would be planned for another count by now.
    for planned in [ANNOUNCED, PLANNED] {
        assert_eq!(next(planned, &borrowed, 60), expected);
        assert_eq!(next(planned, &at(recorded, arrived()), 60), done);
    }

    // The rollout ended before what was announced last was set.
    assert_eq!(next(ANNOUNCED, &at(MADE_WITH, arrived()), 60), expected);

    // Another writer set them since.
    assert_eq!(next(ANNOUNCED, &at(EXTERNAL, arrived()), 60), done);

    // A task that stops afterwards changes nothing.
    let mut lost = at(recorded, arrived());
    lost.running = 1;
    lost.deployments[0].running = 1;
    assert!(matches!(
        next(ANNOUNCED, &lost, 60),
        DeployStep::Wait { .. }
    ));
}

#[test]
fn the_recorded_percentages_are_not_given_back_after_the_deadline() {
    let borrowed = at(ANNOUNCED, arrived());
    let baked = ServiceView {
        deployment_alarms: true,
        ..borrowed.clone()
    };
    let gives_back = |view: &ServiceView, elapsed| {
        matches!(
            next(ANNOUNCED, view, elapsed),
            DeployStep::SetPercentages(_)
        )
    };

    assert!(gives_back(&borrowed, 2_699));
    assert!(!gives_back(&borrowed, 2_700));
    assert!(gives_back(&baked, 3_599));
    assert!(!gives_back(&baked, 3_600));
}

#[test]
fn recorded_percentages_that_ecs_refuses_by_now_are_not_restored() {
    let of = |maximum| Percentages {
        minimum_healthy: 50,
        maximum,
    };
    let mut goal = goal(NEW);
    goal.recorded.percentages = of(100);
    let change = Change {
        percentages: of(150),
        ..made()
    };
    let decide = |rebalancing| {
        let view = ServiceView {
            rebalancing,
            ..at(of(150), arrived())
        };
        let context = DeployContext {
            announced: Some(&change),
            before: before(OLD),
            view: &view,
            was_seen: false,
            elapsed: Duration::from_secs(60),
            since_change: None,
        };
        next_step(&goal, &context)
    };

    assert!(matches!(decide(false), DeployStep::SetPercentages(_)));
    assert!(matches!(decide(true), DeployStep::Done { .. }));
}

#[test]
fn a_release_that_changed_nothing_gives_nothing_back() {
    let other = at(ANNOUNCED, steady(NEW));
    assert!(matches!(step(None, &other), DeployStep::Done { .. }));
}
