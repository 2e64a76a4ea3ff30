//! The main job without faults, and with every one of these, one at a time: a crash after each
//! change that a function makes, each event delivered twice at once, and each delivered again after
//! later ones.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::sync::OnceLock;
use std::time::Duration;

use behaviour::on_all_cores;
use emulator::client::CallFault;
use emulator::{Aws, Call};
use harness::demo::{
    CHAPTERS, Chapter, DEMOS, Demo, Release, Rest, SHOP, deployed, play, play_from, play_with_rests,
};
use harness::driver::{Fault, Ran};
use slipway::release::Outcome;

/// Functions with the operations that one of their attempts called.
type Known = BTreeSet<(String, Vec<String>)>;

/// An attempt that something is to go wrong with.
struct Tried {
    chapter: &'static Chapter,
    /// The last moment of rest before it.
    rest: Rest,
    /// Its number among those that start after the rest.
    number: usize,
    function: String,
    /// Its calls when it is played from the rest.
    calls: Vec<Call>,
    crash_points: Vec<u32>,
}

/// The same before it is played: its chapter, the rest, and its number.
type Start = (&'static Chapter, Rest, usize);

impl Tried {
    fn new((chapter, rest, number): &Start) -> Self {
        let played = play_from(rest, chapter, Fault::None).expect("it goes on as it did");
        let ran = &played.ran[*number];
        Self {
            chapter: *chapter,
            number: *number,
            function: ran.function.clone(),
            calls: ran.called(&played.aws).into_iter().cloned().collect(),
            crash_points: ran.crash_points(&played.aws),
            rest: rest.clone(),
        }
    }
}

/// An attempt by its number among all of a chapter.
fn start(chapter: &'static Chapter, rests: &[Rest], number: usize) -> Start {
    let mut earlier = rests.iter().rev().filter(|rest| rest.started <= number);
    let rest = earlier.next().expect("the push is at rest").clone();
    let number = number - rest.started;
    (chapter, rest, number)
}

fn operations<'a>(calls: impl IntoIterator<Item = &'a Call>) -> impl Iterator<Item = &'a str> {
    let calls = calls.into_iter();
    calls.map(|call| call.operation.as_str())
}

/// The attempts that every test of faults tries, of the first seed: computed once.
fn tried() -> &'static [Tried] {
    static TRIED: OnceLock<Vec<Tried>> = OnceLock::new();
    TRIED.get_or_init(|| {
        let mut aws = deployed(1).expect("the stacks deploy");
        let (mut starts, mut known) = (Vec::new(), Known::new());
        let mut opened = false;

        for chapter in &CHAPTERS {
            let (played, rests) = play_with_rests(aws, chapter).expect("the demo goes as expected");
            aws = played.aws;
            let numbers = match (chapter.application, chapter.outcome) {
                // The first release of the shop does what the next one does.
                (SHOP, Outcome::Deployed) if !std::mem::replace(&mut opened, true) => vec![],
                (SHOP, Outcome::Deployed) => unlike(&mut Known::new(), &aws, &played.ran, &[]),
                (SHOP, _) => unlike(&mut Known::new(), &aws, &played.ran, &BEFORE_THE_SWAP),
                _ => unlike(&mut known, &aws, &played.ran, &[]),
            };
            let numbers = numbers.into_iter();
            starts.extend(numbers.map(|number| start(chapter, &rests, number)));
        }
        on_all_cores(&starts, Tried::new)
    })
}

/// The functions that do the same in each release of a pair.
const BEFORE_THE_SWAP: [&str; 3] = [
    "begin-release",
    "register-task-definition",
    "update-service",
];

/// The releases of a demo with a seed of 1 to 20, played once for all tests.
fn known_releases(seed: u64) -> &'static [Release] {
    static PLAYED: [OnceLock<Vec<Release>>; 21] = [const { OnceLock::new() }; 21];
    let at = usize::try_from(seed).expect("a small number");
    PLAYED[at].get_or_init(|| releases(seed))
}

/// The releases of a demo.
fn releases(seed: u64) -> Vec<Release> {
    let mut aws = deployed(seed).expect("the stacks deploy");
    let played = CHAPTERS.iter().map(|chapter| {
        let before = std::mem::replace(&mut aws, Aws::new(seed));
        let played = play(before, chapter, Fault::None, &mut |_| {});
        let played = played.unwrap_or_else(|wrong| panic!("seed {seed}: {wrong}"));
        aws = played.aws;
        played.release
    });
    played.collect()
}

/// The attempts that made other calls than those of their function that are known: of a pair in the
/// chapter, else in any chapter. A shift is looked at again and again while it bakes, and
/// blue_green/crashes.rs lets every change of one be the last. Functions that do the same in every
/// chapter are left out, and so is the call by which a new container gets the deploy role: the
/// first attempt of each function has it.
fn unlike(known: &mut Known, aws: &Aws, ran: &[Ran], left_out: &[&str]) -> Vec<usize> {
    let mut is_new = |ran: &Ran| {
        let made = operations(ran.called(aws)).filter(|operation| *operation != "AssumeRole");
        known.insert((ran.function.clone(), made.map(str::to_owned).collect()))
    };
    let new: Vec<bool> = ran.iter().map(&mut is_new).collect();
    (0..ran.len())
        .filter(|at| new[*at] && !left_out.contains(&ran[*at].function.as_str()))
        .collect()
}

/// What goes wrong with an attempt.
#[derive(Clone, Copy, Debug)]
enum Trouble {
    Call(CallFault),
    /// Its event is delivered again, so long after.
    Again(Duration),
}

/// Plays on with each of these, on all cores, and fails with all that went wrong.
fn with_each(runs: impl Iterator<Item = (&'static Tried, Trouble)>) {
    let runs: Vec<(&Tried, Trouble)> = runs.collect();
    let found = on_all_cores(&runs, |(tried, trouble)| wrong(tried, *trouble));
    let wrong: Vec<String> = found.into_iter().flatten().collect();

    let count = runs.len();
    println!("{count} runs, each with one fault");
    assert!(count >= tried().len(), "only {count} faults");
    assert!(
        wrong.is_empty(),
        "{} of {count} runs went wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// What goes wrong when an attempt meets a trouble.
fn wrong(tried: &Tried, trouble: Trouble) -> Option<String> {
    let attempt = tried.number;
    let (fault, met) = match trouble {
        Trouble::Call(fault) => (Fault::Call { attempt, fault }, Some(fault)),
        Trouble::Again(after) => (Fault::Duplicate { attempt, after }, None),
    };
    let is_met = |ran: &Ran| met.is_none_or(|fault| ran.met.contains(&fault));
    let error = match play_from(&tried.rest, tried.chapter, fault) {
        Ok(played) if played.ran.iter().any(is_met) => return None,
        Ok(_) => "nothing met the fault".to_owned(),
        Err(error) => error,
    };
    let operations: Vec<&str> = operations(&tried.calls).collect();
    Some(format!(
        "{}, {} after {}, {trouble:?}: {error}",
        tried.chapter.title,
        tried.function,
        operations.join(", ")
    ))
}

fn the_demo_ends_as_expected(seeds: RangeInclusive<u64>) {
    for seed in seeds {
        assert_eq!(known_releases(seed).len(), CHAPTERS.len());
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

/// Demos by name whose chapters other tests play: those here, and those of their own.
const PLAYED_ELSEWHERE: [&str; 5] = ["in-place", "canary", "dns", "freeze", "custom-actions"];

/// Plays a demo, each chapter of which must end as it expects.
fn played(demo: &Demo, seed: u64) -> Result<(), String> {
    let ended = demo.open(seed).and_then(|opened| {
        let mut scenes = demo.scenes().into_iter();
        scenes.try_fold(opened, |aws, scene| {
            let aws = scene.prepared(aws)?;
            Ok(play(aws, &scene.chapter, Fault::None, &mut |_| {})?.aws)
        })
    });
    let wrong = |wrong| format!("{}, seed {seed}: {wrong}", demo.name);
    ended.map(drop).map_err(wrong)
}

/// With three seeds: what these demos show is in the demo above, of which 20 are played, or is
/// drawn by the simulation, and 20 of each would take half a minute.
#[test]
fn each_demo_by_name_ends_as_documented() {
    let demos = DEMOS
        .iter()
        .filter(|demo| !PLAYED_ELSEWHERE.contains(&demo.name));
    let runs: Vec<(&Demo, u64)> = demos
        .flat_map(|demo| (1..=3).map(move |seed| (demo, seed)))
        .collect();
    let ended = on_all_cores(&runs, |(demo, seed)| played(demo, *seed));
    let wrong: Vec<String> = ended.into_iter().filter_map(Result::err).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let text = |releases: &[Release]| serde_json::to_string(releases).expect("they serialize");
    let again = text(&releases(7));
    assert_eq!(again, text(known_releases(7)));
    assert_ne!(again, text(known_releases(8)));
}

/// The calls of all attempts, each with its number in the attempt.
fn calls() -> impl Iterator<Item = (&'static Tried, u32, &'static Call)> {
    tried().iter().flat_map(|tried| {
        let numbered = (1..).zip(&tried.calls);
        numbered.map(move |(number, call)| (tried, number, call))
    })
}

/// Whether it is the first call of this operation by this function in releases that end like this
/// one.
fn is_first() -> impl FnMut(&(&'static Tried, u32, &'static Call)) -> bool {
    let mut known = BTreeSet::new();
    move |(tried, _, call)| {
        let outcome = tried.chapter.outcome.to_string();
        known.insert((tried.function.as_str(), call.operation.as_str(), outcome))
    }
}

/// Plays on with every event delivered a second time, so long after the first.
fn delivered_again<const N: usize>(gaps: [Duration; N]) {
    let of_attempt = |tried| gaps.map(|gap| (tried, Trouble::Again(gap)));
    with_each(tried().iter().flat_map(of_attempt));
}

#[test]
fn a_crash_after_any_change_changes_no_ending() {
    with_each(tried().iter().flat_map(|tried| {
        let crashes = tried.crash_points.iter();
        crashes.map(move |call| (tried, Trouble::Call(CallFault::CrashAfter(*call))))
    }));
}

/// The answer of a read is missing in the same way wherever the function reads.
#[test]
fn a_call_that_takes_effect_without_an_answer_changes_no_ending() {
    let mut is_first = is_first();
    let calls = calls().filter(|call| !call.2.is_read() || is_first(call));
    with_each(calls.map(|(tried, number, _)| {
        let fault = CallFault::TimeoutAfterEffect(number);
        (tried, Trouble::Call(fault))
    }));
}

/// Whatever is throttled has no effect, so one call of an operation stands for the others.
#[test]
fn throttling_that_outlasts_the_retries_changes_no_ending() {
    let calls = calls().filter(is_first());
    with_each(calls.map(|(tried, number, _)| {
        let fault = CallFault::ThrottleFrom(number, 4);
        (tried, Trouble::Call(fault))
    }));
}

#[test]
fn a_second_delivery_at_once_changes_no_ending() {
    delivered_again([0, 30, 150].map(Duration::from_millis));
}

#[test]
fn a_late_delivery_changes_no_ending() {
    delivered_again([20, 75, 290].map(Duration::from_secs));
}
