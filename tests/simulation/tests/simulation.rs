//! The simulation on a few hundred seeds, and that a seed determines a run.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use emulator::ecr::Behaviour;
use harness::cores::on_all_cores;
use simulation::{
    About, Act, CANARIES_FROM, Coverage, Drawn, DrawnChecks, DrawnCommit, DrawnFreeze,
    DrawnTraffic, Image, Incident, Oddity, PAIRS_FROM, POLLED_TO, Plan, Promotion, Push,
    RECORDS_FROM, SHAPES, Shape, Strategy, plan, play,
};

/// Seeds of one of the tests below, which run side by side.
const SEEDS: u64 = 60;
/// The same with canaries, which take several times as long.
const CANARY_SEEDS: u64 = 20;
/// A promotion is four releases of each commit.
const PROMOTION_SEEDS: u64 = SEEDS / 4;
/// Runs of custom actions take twice as long as others.
const CUSTOM_ACTION_SEEDS: u64 = SEEDS / 2;

fn hold(from: u64, seeds: u64, about: About) {
    let all: Vec<u64> = (from..from + seeds).collect();
    let played = on_all_cores(&all, |seed| Drawn::of(*seed, about).play(false));

    let mut failures = BTreeMap::new();
    let mut coverage = Coverage::default();
    for (seed, played) in all.iter().zip(played) {
        coverage.merge(&played.coverage);
        if let Some(failure) = played.failure {
            failures.insert(seed, failure);
        }
    }

    assert!(
        failures.is_empty(),
        "cargo sandbox simulate --seed <seed> --trace: {failures:#?}"
    );
    assert!(
        coverage.releases >= seeds,
        "{} releases in {seeds} runs",
        coverage.releases
    );
}

#[test]
fn the_invariants_hold_whatever_the_first_seeds_draw() {
    hold(1, SEEDS, About::Releases);
}

#[test]
fn the_invariants_hold_whatever_later_seeds_draw() {
    hold(100_001, SEEDS, About::Releases);
}

#[test]
fn the_invariants_hold_whatever_canaries_draw() {
    hold(1, CANARY_SEEDS, About::Canaries);
}

#[test]
fn the_invariants_hold_whatever_custom_actions_draw() {
    hold(1, CUSTOM_ACTION_SEEDS, About::CustomActions);
}

#[test]
fn the_invariants_hold_whatever_promotions_draw() {
    hold(1, PROMOTION_SEEDS, About::Promotions);
}

/// One good commit, with nothing that goes wrong.
fn good_commit() -> Promotion {
    Promotion {
        seed: 1,
        strategy: Strategy::Rolling,
        mode: "SUPERSEDED",
        soak_minutes: 1,
        freeze: None,
        commits: vec![DrawnCommit {
            after: Duration::from_secs(1),
            behaviour: Behaviour::Healthy,
            fails: None,
        }],
        answers: Vec::new(),
        incidents: Vec::new(),
    }
}

#[test]
fn a_good_commit_is_deployed_to_every_environment_in_order() {
    let played = good_commit().play(false);
    assert_eq!(played.failure, None);
    let lines = played.coverage.lines(About::Promotions);
    let times = |line: &str| {
        lines
            .iter()
            .find(|(of, _)| of == line)
            .map(|(_, times)| *times)
    };
    for service in ["orders-dev", "orders-ci", "orders-uat", "orders-prod"] {
        let line = format!("environment: {service} deployed");
        assert_eq!(times(&line), Some(1), "{service}");
    }
    let in_order = "invariant: 11 an image passes the environments in order";
    assert_eq!(times(in_order), Some(4));
    assert_eq!(
        times("invariant: 11 the record has every environment"),
        Some(4)
    );
}

#[test]
fn a_freeze_of_62_hours_ends_the_release_of_production_and_no_other() {
    let promotion = Promotion {
        freeze: Some(DrawnFreeze::Weekend(1)),
        ..good_commit()
    };
    let played = promotion.play(false);
    assert_eq!(played.failure, None, "{promotion}");
    let lines = played.coverage.lines(About::Promotions);
    let is_met = |line: &str| lines.contains(&(line.to_owned(), 1));
    assert!(is_met("environment: orders-uat deployed"), "{lines:?}");
    assert!(!is_met("environment: orders-prod deployed"), "{lines:?}");
    assert!(
        is_met("freeze: a release ends because it cannot wait"),
        "{lines:?}"
    );
}

#[test]
fn promotions_draw_everything_that_may_hold_them_back() {
    let drawn: Vec<Promotion> = (1..200).map(Promotion::draw).collect();
    let freezes = drawn.iter().filter_map(|it| it.freeze);
    let freezes: BTreeSet<&str> = freezes.map(DrawnFreeze::as_str).collect();
    assert_eq!(freezes.len(), 3, "{freezes:?}");
    let fails = drawn.iter().flat_map(|it| &it.commits);
    let fails: BTreeSet<&str> = fails.filter_map(|commit| commit.fails).collect();
    assert_eq!(fails.len(), 5, "{fails:?}");
    let acts = drawn.iter().flat_map(|it| &it.incidents);
    let acts: BTreeSet<&str> = acts
        .filter(|incident| matches!(incident, Incident::Act { .. }))
        .map(Incident::as_str)
        .collect();
    assert_eq!(acts.len(), 6, "{acts:?}");
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    for (seed, about) in [
        (7, About::Releases),
        (21, About::Releases),
        (99, About::Releases),
        // Behind records.
        (4, About::Releases),
        (5, About::Canaries),
        (3, About::Promotions),
    ] {
        let transcript = |seed| {
            let drawn = Drawn::of(seed, about);
            let played = drawn.play(true);
            (drawn.to_string(), played.trace, played.coverage)
        };
        // A run between the two must leave no mark on the second.
        let first = transcript(seed);
        let other = transcript(seed + 1);
        assert_eq!(first, transcript(seed));
        assert!(first.1.len() > 20, "{:?}", first.1);
        assert_ne!(first.1, other.1);
    }
}

#[test]
fn every_shape_can_be_deployed_and_its_strategy_can_move() {
    for number in 0..POLLED_TO {
        let shape = Shape::nth(number);
        shape
            .account()
            .unwrap_or_else(|error| panic!("shape {number}, {shape}: {error}"));
        let size = shape.size(shape.count);
        assert!(shape.promised(size, size) <= size, "{shape}");
    }
}

/// A plan in which one healthy image is pushed and nothing goes wrong.
fn calm(shape: Shape) -> Plan {
    let push = Push {
        after: Duration::from_secs(1),
        image: Image::New(Behaviour::Healthy),
        replicated: false,
    };
    Plan {
        seed: u64::from(shape.number),
        shape,
        pushes: vec![push],
        answers: Vec::new(),
        incidents: Vec::new(),
        freeze: None,
        traffic: Vec::new(),
    }
}

#[test]
fn a_healthy_release_of_every_unusual_service_is_deployed() {
    let mut met = BTreeSet::new();
    for shape in (0..PAIRS_FROM).map(Shape::nth) {
        let Some(oddity) = shape.oddity else { continue };
        met.insert(oddity.as_str());

        let plan = calm(shape);
        let played = play(&plan, false);
        assert_eq!(played.failure, None, "{plan}");

        let lines = played.coverage.lines(About::Releases);
        let is_met = |line: &str| lines.contains(&(line.to_owned(), 1));
        assert!(is_met("outcome: deployed"), "{plan}");
        if oddity == Oddity::ReleasedSibling {
            assert!(is_met("outcome of the other service: deployed"), "{plan}");
        }
    }
    assert_eq!(met.len(), 8, "{met:?}");
}

#[test]
fn a_first_release_of_every_unusual_service_that_fails_is_rolled_back() {
    let mut met = BTreeSet::new();
    for shape in (0..PAIRS_FROM).map(Shape::nth) {
        let Some(oddity) = shape.oddity else { continue };
        met.insert(oddity.as_str());

        let mut plan = calm(shape);
        plan.pushes[0].image = Image::New(Behaviour::Exits);
        let played = play(&plan, false);
        assert_eq!(played.failure, None, "{plan}");

        let lines = played.coverage.lines(About::Releases);
        let rolled_back = ("outcome: rolled-back".to_owned(), 1);
        assert!(lines.contains(&rolled_back), "{plan}");
    }
    assert_eq!(met.len(), 8, "{met:?}");
}

#[test]
fn a_healthy_release_ends_as_its_http_checks_find() {
    let mut met = BTreeSet::new();
    for shape in (0..CANARIES_FROM).map(Shape::nth) {
        let Some(checks) = shape.checks else { continue };
        if shape.is_hasty() {
            continue;
        }
        met.insert((shape.pair.is_some(), checks.as_str()));

        let outcome = match checks {
            DrawnChecks::Passing => "outcome: deployed",
            DrawnChecks::Failing => "outcome: rolled-back",
        };
        let plan = calm(shape);
        let played = play(&plan, false);
        assert_eq!(played.failure, None, "{plan}");
        let lines = played.coverage.lines(About::Releases);
        assert!(lines.contains(&(outcome.to_owned(), 1)), "{plan}");
    }
    assert_eq!(met.len(), 4, "{met:?}");
}

#[test]
fn a_healthy_release_behind_records_of_each_kind_is_deployed() {
    let mut met = BTreeSet::new();
    for shape in (RECORDS_FROM..SHAPES).map(Shape::nth) {
        let records = shape.records().expect("it is behind records");
        if shape.is_hasty() {
            continue;
        }
        met.insert(records.as_str());

        let plan = calm(shape);
        let played = play(&plan, false);
        assert_eq!(played.failure, None, "{plan}");
        let lines = played.coverage.lines(About::Releases);
        assert!(
            lines.contains(&("outcome: deployed".to_owned(), 1)),
            "{plan}"
        );
    }
    assert_eq!(met.len(), 2, "{met:?}");
}

#[test]
fn a_release_of_a_service_that_shrinks_is_deployed() {
    let shrinks = |plan: &Plan| {
        let mut incidents = plan.incidents.iter();
        incidents.any(|incident| {
            matches!(
                incident,
                Incident::Act {
                    act: Act::ScalesIn(_),
                    ..
                }
            )
        })
    };
    let drawn = (1..400).map(|seed| plan(seed, About::Releases));
    let mut shrunk = 0;
    for drawn in drawn.filter(shrinks).take(6) {
        let incidents = drawn.incidents.iter().filter(|it| it.is_unrelated());
        let plan = Plan {
            incidents: incidents.cloned().collect(),
            ..calm(drawn.shape.clone())
        };
        let played = play(&plan, false);
        assert_eq!(played.failure, None, "{plan}");
        let lines = played.coverage.lines(About::Releases);
        let word = Act::ScalesIn(1).as_str();
        let of_act = |(line, times): &(String, u64)| *line == format!("act: {word}") && *times > 0;
        shrunk += usize::from(lines.iter().any(of_act));
    }
    assert!(shrunk > 0, "none has lost a task");
}

#[test]
fn runs_about_traffic_draw_every_kind_of_it_and_some_others_a_few() {
    let drawn: Vec<Plan> = (1..400).map(|seed| plan(seed, About::Traffic)).collect();
    let kinds = drawn.iter().flat_map(|plan| &plan.traffic);
    let kinds: BTreeSet<&str> = kinds.map(|traffic| traffic.as_str()).collect();
    assert_eq!(kinds.len(), 11, "{kinds:?}");
    let mut counts = drawn.iter().map(|plan| plan.traffic.len());
    assert!(counts.all(|count| (1..=2).contains(&count)));

    let images = drawn.iter().flat_map(|plan| &plan.pushes);
    let images: BTreeSet<&str> = images.map(|push| push.image.as_str()).collect();
    for flaw in [
        "rejects some requests",
        "resets some connections",
        "never answers some requests",
        "is cold at first",
    ] {
        assert!(images.contains(flaw), "{images:?}");
    }

    let with_traffic = |about| {
        let plans = (1..400).map(|seed| plan(seed, about));
        plans.filter(|plan| !plan.traffic.is_empty()).count()
    };
    let found = [About::Releases, About::Canaries, About::CustomActions].map(with_traffic);
    assert!((15..100).contains(&found[0]), "{found:?}");
    assert!((150..250).contains(&found[1]) && found[2] == 0, "{found:?}");
}

#[test]
fn a_pair_is_released_whatever_metrics_a_release_does_not_read() {
    let mut shapes = (PAIRS_FROM..CANARIES_FROM).map(Shape::nth);
    let usual = shapes.find(|shape| !shape.is_hasty() && shape.checks.is_none() && shape.count > 0);
    let usual = usual.expect("a pair that is neither hasty nor checked");
    for traffic in [
        DrawnTraffic::Varies {
            errors: 40,
            times: 10,
        },
        DrawnTraffic::GeometricBursts(20),
        DrawnTraffic::Grpc,
        DrawnTraffic::TestRequests(10),
    ] {
        let plan = Plan {
            traffic: vec![traffic],
            ..calm(usual.clone())
        };
        let played = play(&plan, false);
        assert_eq!(played.failure, None, "{plan}");
        let lines = played.coverage.lines(About::Traffic);
        let is_met = |line: &str| lines.contains(&(line.to_owned(), 1));
        assert!(is_met("outcome: deployed"), "{plan}");
        assert!(is_met(&format!("traffic: {}", traffic.as_str())), "{plan}");
    }
}

#[test]
fn a_plan_that_fails_shrinks_to_what_makes_it_fail() {
    let drawn = |seed| plan(seed, About::Releases);

    // Nothing fails with this plan, so that nothing of it may be left out.
    let whole = (1..200)
        .map(drawn)
        .find(|plan| plan.incidents.len() >= 3)
        .expect("a plan with incidents");
    let whole = Drawn::Plan(Box::new(whole));
    assert_eq!(whole.shrink(), whole);

    let faults = |incident: &Incident| !matches!(incident, Incident::Act { .. });
    assert!(
        (1..50)
            .map(drawn)
            .any(|plan| plan.incidents.iter().any(faults))
    );
    assert!((1..50).map(drawn).any(|plan| {
        plan.pushes
            .iter()
            .any(|push| matches!(push.image, Image::Again(_)))
    }));
}
