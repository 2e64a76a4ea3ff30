//! Deliveries that come twice, and invocations that die between two calls.

use std::time::Duration;

use emulator::Aws;
use emulator::client::CallFault;
use emulator::ecr::Answers;
use emulator::lambda;
use harness::driver::{Faults, Ran, Which, run};

use behaviour::shop::{judged, messages, push, release, shop};
use behaviour::{on_all_cores, outcome, pair, reason, settled, until};

const JUDGE: &str = "evaluate-canary";

fn dies(nth: usize, call: u32) -> (Which, CallFault) {
    (
        Which::Of {
            function: JUDGE,
            nth,
        },
        CallFault::CrashAfter(call),
    )
}

/// How a release ends whose judge meets these faults.
fn ends(answers: Answers, faults: Faults) -> (String, [i64; 2], usize) {
    played(answers, faults).0
}

/// The same, with the attempts of the judge and the account at the end.
fn played(answers: Answers, faults: Faults) -> ((String, [i64; 2], usize), Vec<Ran>, Aws) {
    run(shop(), faults, async |driver| {
        let execution = release(&driver, "2.1.0", answers).await;
        let aws = driver.world.snapshot();
        let judged = judged(&aws, &execution).len();

        assert!(
            !outcome(&driver, &execution).is_empty(),
            "{}: {:#?}",
            reason(&driver, &execution),
            messages(&aws, "judge")
        );

        let end = (outcome(&driver, &execution), pair::weights(&aws), judged);
        let mut ran = driver.ran();
        ran.retain(|ran| ran.function == JUDGE);
        (end, ran, aws)
    })
}

#[test]
fn a_second_delivery_of_any_look_changes_nothing() {
    for after in [1, 90, 250] {
        for nth in [0, 1, 3, 6] {
            let duplicates = vec![(
                Which::Of {
                    function: JUDGE,
                    nth,
                },
                Duration::from_secs(after),
            )];
            let ended = ends(
                Answers::GOOD.failing(0.02),
                Faults {
                    duplicates,
                    ..Faults::default()
                },
            );

            assert_eq!(
                ended,
                ("rolled-back".to_owned(), [0, 100], 1),
                "look {nth}, {after} s later"
            );
        }
    }
}

#[test]
fn a_second_delivery_to_a_healthy_image_changes_nothing() {
    for nth in [0, 5, 9] {
        let duplicates = vec![(
            Which::Of {
                function: JUDGE,
                nth,
            },
            Duration::from_secs(200),
        )];
        let ended = ends(
            Answers::GOOD,
            Faults {
                duplicates,
                ..Faults::default()
            },
        );

        assert_eq!(ended, ("deployed".to_owned(), [100, 0], 1), "look {nth}");
    }
}

/// Lambda may deliver the first job of a judgement again when the new colour has long got all of
/// the traffic.
#[test]
fn the_first_look_again_when_the_judgement_is_long_over_changes_nothing() {
    run(shop(), Faults::default(), async |driver| {
        let pushed = push(&driver, "2.0.0", Answers::GOOD);
        pair::until_weights(&driver, [100, 0]).await;
        let judges = |one: &lambda::Invocation| one.function.ends_with(JUDGE);
        let first = driver
            .world
            .aws()
            .lambda
            .invocations
            .iter()
            .find(|one| judges(one))
            .expect("it is judged")
            .id;
        lambda::duplicate(&mut driver.world.aws(), first, Duration::from_secs(1));
        driver.world.touch();
        until(&driver, |aws| {
            aws.lambda
                .invocations
                .iter()
                .any(|one| one.duplicate_of == Some(first))
        })
        .await;

        let execution = settled(&driver, pair::PIPELINE, &pushed).await;
        assert_eq!(
            outcome(&driver, &execution),
            "deployed",
            "{}",
            reason(&driver, &execution)
        );
    });
}

#[test]
fn a_look_that_ends_after_any_of_its_changes_is_repeated() {
    let failing = Answers::GOOD.failing(0.02);
    let (_, looks, undisturbed) = played(failing, Faults::default());
    let crashes = looks.iter().enumerate().flat_map(|(nth, look)| {
        // Before its first call it knows nothing yet.
        let calls = [0].into_iter().chain(look.crash_points(&undisturbed));
        calls.map(move |call| (nth, call))
    });
    let crashes: Vec<(usize, u32)> = crashes.collect();
    assert!(looks.len() >= 4 && crashes.len() > 12, "{crashes:?}");

    let ends = on_all_cores(&crashes, |(nth, call)| {
        let faults = Faults {
            calls: vec![dies(*nth, *call)],
            ..Faults::default()
        };
        let (end, looks, _) = played(failing, faults);
        (end, looks[*nth].met.clone())
    });
    for ((nth, call), (end, met)) in crashes.iter().zip(ends) {
        let expected = ("rolled-back".to_owned(), [0, 100], 1);
        assert_eq!(end, expected, "look {nth} dies after call {call}");
        assert_eq!(met, [CallFault::CrashAfter(*call)], "look {nth}");
    }
}
