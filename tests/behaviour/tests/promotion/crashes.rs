//! Crashes in what only a promotion does: a release that begins after another one of its execution,
//! and one that ends after a soak.

use std::collections::BTreeSet;

use behaviour::{newest, on_all_cores};
use emulator::client::CallFault;
use harness::demo::promotion::{CHAPTERS, PIPELINE, opened};
use harness::demo::{Played, Rest, play_from, play_with_rests};
use harness::driver::Fault;

use super::{action, earlier, ended};

/// The steps that tell one release of an execution from the next.
const STEPS: [&str; 2] = ["begin-release", "finish-release"];

/// What writes leases and records.
const WRITES: [&str; 3] = ["PutItem", "TransactWriteItems", "UpdateItem"];

/// A call after which an attempt dies: the `attempt`th to start after the rest.
struct Point {
    rest: Rest,
    attempt: usize,
    call: u32,
}

/// The attempts of CI, the second environment, that write the ledger as its release begins or ends,
/// the first of each that makes the same calls.
fn of_ci(played: &Played) -> Vec<usize> {
    let execution = newest(&played.aws, PIPELINE);
    let begun = action(execution, "CI", "begin-release").started;
    let over = ended(action(execution, "CI", "finish-release"));
    let mut known = BTreeSet::new();

    let numbered = played.ran.iter().enumerate();
    let steps = numbered.filter(|(_, ran)| STEPS.contains(&ran.function.as_str()));
    let own = steps.filter(|(_, ran)| {
        let calls = ran.called(&played.aws);
        let made = calls.iter().map(|call| call.operation.as_str());
        let made: Vec<&str> = made.filter(|made| *made != "AssumeRole").collect();
        calls.iter().all(|call| (begun..=over).contains(&call.at))
            && made.iter().any(|made| WRITES.contains(made))
            && known.insert((ran.function.as_str(), made))
    });
    own.map(|(number, _)| number).collect()
}

/// Every change that these attempts make, when they are played again from the last time before them
/// at which nothing was in progress.
fn points() -> Vec<Point> {
    let opened = opened(1, &[]).expect("it opens");
    let (played, rests) = play_with_rests(opened, &CHAPTERS[0]).expect("it goes as expected");
    let mut points = Vec::new();
    for number in of_ci(&played) {
        let mut before = rests.iter().rev().filter(|rest| rest.started <= number);
        let rest = before.next().expect("the commit is at rest");
        let attempt = number - rest.started;

        let again = play_from(rest, &CHAPTERS[0], Fault::None).expect("it goes on as it did");
        let calls = again.ran[attempt].crash_points(&again.aws);
        points.extend(calls.into_iter().map(|call| Point {
            rest: rest.clone(),
            attempt,
            call,
        }));
    }
    points
}

/// What goes wrong after a crash there.
fn wrong(point: &Point) -> Option<String> {
    let (attempt, call) = (point.attempt, point.call);
    let fault = CallFault::CrashAfter(call);
    let played = play_from(&point.rest, &CHAPTERS[0], Fault::Call { attempt, fault });
    let played = match played {
        Ok(played) => played,
        Err(error) => return Some(format!("attempt {attempt}, call {call}: {error}")),
    };

    let met = played.ran.iter().any(|ran| ran.met.contains(&fault));
    let execution = &newest(&played.aws, PIPELINE).id;
    let outcomes = earlier(&played.aws, execution);
    let expected = ["orders-dev", "orders-ci", "orders-uat"]
        .map(|service| (service.to_owned(), "deployed".to_owned()));
    let goes_on = met && outcomes == expected;
    (!goes_on).then(|| format!("attempt {attempt}, call {call}, met: {met}: {outcomes:?}"))
}

#[test]
fn a_crash_as_the_next_release_begins_or_ends_changes_no_ending() {
    let points = points();
    assert!(points.len() >= 4, "only {} changes", points.len());
    let wrong: Vec<String> = on_all_cores(&points, wrong).into_iter().flatten().collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}
