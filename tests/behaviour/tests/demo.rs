//! The main job without faults, and with every one of these, one at a time: a crash after each AWS
//! call of each function, each event delivered twice at once, and each delivered again after later
//! ones.

use std::collections::BTreeSet;
use std::num::NonZero;
use std::ops::RangeInclusive;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use emulator::Aws;
use emulator::client::CallFault;
use harness::demo::{CHAPTERS, Chapter, Release, SHOP, deployed, play};
use harness::driver::{Fault, Ran};
use slipway::release::Outcome;

/// Functions with the operations that an attempt of theirs called.
type Known = BTreeSet<(String, Vec<String>)>;

/// A chapter with the account that it begins on and what its undisturbed run did.
struct Scene {
    chapter: &'static Chapter,
    before: Aws,
    ran: Vec<Ran>,
    /// Numbers of the attempts that something is to go wrong with.
    tried: Vec<usize>,
}

/// The scenes of the first seed, which every test of faults plays from: computed once.
fn first_scenes() -> &'static [Scene] {
    static SCENES: OnceLock<Vec<Scene>> = OnceLock::new();
    SCENES.get_or_init(|| scenes(1).0)
}

fn scenes(seed: u64) -> (Vec<Scene>, Vec<Release>) {
    let mut aws = deployed(seed).expect("the stacks deploy");
    let (mut scenes, mut releases) = (Vec::new(), Vec::new());
    let mut known = Known::new();

    for chapter in &CHAPTERS {
        let before = aws.clone();
        let played =
            play(aws, chapter, Fault::None, &mut |_| {}).expect("the demo goes as expected");
        aws = played.aws;
        let tried = match (chapter.application, chapter.outcome) {
            (SHOP, Outcome::Deployed)
                if releases
                    .iter()
                    .all(|known: &Release| known.pipeline != "slipway-shop") =>
            {
                vec![]
            }
            (SHOP, Outcome::Deployed) => unlike(&mut Known::new(), &aws, &played.ran, &[]),
            (SHOP, _) => unlike(
                &mut Known::new(),
                &aws,
                &played.ran,
                &[
                    "begin-release",
                    "register-task-definition",
                    "update-service",
                ],
            ),
            _ => unlike(&mut known, &aws, &played.ran, &[]),
        };
        scenes.push(Scene {
            chapter,
            before,
            ran: played.ran,
            tried,
        });
        releases.push(played.release);
    }
    (scenes, releases)
}

/// The attempts that made other calls than those of their function that are known: of a pair in the
/// chapter, else in any chapter. A shift is looked at again and again while it bakes, and
/// blue_green/crashes.rs lets every call of one be the last. Functions that do the same in every
/// chapter are left out, and so is the call by which a new container gets the deploy role: the first
/// attempt of each function has it.
fn unlike(known: &mut Known, aws: &Aws, ran: &[Ran], left_out: &[&str]) -> Vec<usize> {
    let mut is_new = |ran: &Ran| {
        let of_attempt = aws
            .calls
            .iter()
            .filter(|call| call.attempt == Some(ran.attempt));
        let made = of_attempt
            .map(|call| call.operation.clone())
            .filter(|operation| operation != "AssumeRole")
            .collect();
        known.insert((ran.function.clone(), made))
    };
    let new: Vec<bool> = ran.iter().map(&mut is_new).collect();
    (0..ran.len())
        .filter(|at| new[*at] && !left_out.contains(&ran[*at].function.as_str()))
        .collect()
}

/// Plays each scene with each fault, on all cores, and fails with all that went wrong.
fn with_each(faults: impl Fn(&Scene) -> Vec<Fault>) {
    let scenes = first_scenes();
    let runs: Vec<(&Scene, Fault)> = scenes
        .iter()
        .flat_map(|scene| faults(scene).into_iter().map(move |fault| (scene, fault)))
        .collect();

    let next = AtomicUsize::new(0);
    let one_after_another = || {
        let numbers = std::iter::repeat_with(|| next.fetch_add(1, Ordering::Relaxed));
        let own = numbers.map_while(|number| runs.get(number));
        own.filter_map(|(scene, fault)| wrong(scene, *fault))
            .collect::<Vec<String>>()
    };
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(one_after_another)).collect();
        let found = threads.into_iter().map(|thread| thread.join());
        found.flat_map(|found| found.expect("a run ends")).collect()
    });

    let tried = runs.len();
    println!("{tried} runs, each with one fault");
    assert!(tried >= scenes.len(), "no fault was tried");
    assert!(
        wrong.is_empty(),
        "{} of {tried} runs went wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// What goes wrong when a scene is played with a fault.
fn wrong(scene: &Scene, fault: Fault) -> Option<String> {
    let played = play(scene.before.clone(), scene.chapter, fault, &mut |_| {});
    let error = played.err()?;
    Some(format!(
        "{}, {fault:?} of {:?}: {error}",
        scene.chapter.title,
        attempt(scene, fault)
    ))
}

fn attempt(scene: &Scene, fault: Fault) -> Option<&Ran> {
    match fault {
        Fault::Call { attempt, .. } | Fault::Duplicate { attempt, .. } => scene.ran.get(attempt),
        Fault::None => None,
    }
}

fn the_demo_ends_as_expected(seeds: RangeInclusive<u64>) {
    for seed in seeds {
        let (_, releases) = scenes(seed);
        assert_eq!(releases.len(), CHAPTERS.len());
    }
}

// Four tests, so that they run side by side.

#[test]
fn the_demo_ends_as_expected_with_seeds_1_to_5() {
    the_demo_ends_as_expected(1..=5);
}

#[test]
fn the_demo_ends_as_expected_with_seeds_6_to_10() {
    the_demo_ends_as_expected(6..=10);
}

#[test]
fn the_demo_ends_as_expected_with_seeds_11_to_15() {
    the_demo_ends_as_expected(11..=15);
}

#[test]
fn the_demo_ends_as_expected_with_seeds_16_to_20() {
    the_demo_ends_as_expected(16..=20);
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let releases = |seed| serde_json::to_string(&scenes(seed).1).expect("releases serialize");
    let first = releases(7);
    assert_eq!(first, releases(7));
    assert_ne!(first, releases(8));
}

/// Plays each scene with a fault at every call of every attempt.
fn at_each_call(fault: fn(u32) -> CallFault) {
    with_each(|scene| {
        let calls = |(attempt, ran): (usize, &Ran)| {
            (1..=ran.calls).map(move |call| Fault::Call {
                attempt,
                fault: fault(call),
            })
        };
        scene
            .tried
            .iter()
            .map(|number| (*number, &scene.ran[*number]))
            .flat_map(calls)
            .collect()
    });
}

/// Plays each scene with every event delivered a second time, so long after the first.
fn delivered_again<const N: usize>(gaps: [Duration; N]) {
    with_each(|scene| {
        scene
            .tried
            .iter()
            .flat_map(|&attempt| gaps.map(|after| Fault::Duplicate { attempt, after }))
            .collect()
    });
}

#[test]
fn a_crash_after_any_call_changes_no_ending() {
    at_each_call(CallFault::CrashAfter);
}

#[test]
fn a_call_that_takes_effect_without_an_answer_changes_no_ending() {
    at_each_call(CallFault::TimeoutAfterEffect);
}

#[test]
fn throttling_that_outlasts_the_retries_changes_no_ending() {
    at_each_call(|call| CallFault::ThrottleFrom(call, 4));
}

#[test]
fn a_second_delivery_at_once_changes_no_ending() {
    delivered_again([0, 30, 150].map(Duration::from_millis));
}

#[test]
fn a_late_delivery_changes_no_ending() {
    delivered_again([20, 75, 290].map(Duration::from_secs));
}
