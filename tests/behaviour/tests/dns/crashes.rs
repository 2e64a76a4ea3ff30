//! Crashes after each change of the attempts that set weights: Lambda's retry, or a later job, ends
//! the release as it would have ended, and the invariants hold meanwhile.

use emulator::client::CallFault;
use harness::demo::dns::CHAPTERS;
use harness::demo::{Chapter, Played, play};
use harness::driver::{Fault, Ran};

use super::{changes, site};

/// The attempts that set weights, by their numbers, each with the calls after which it may crash.
fn shifts(played: &Played) -> Vec<(usize, Vec<u32>)> {
    let sets_weights = |ran: &Ran| {
        let mut calls = ran.called(&played.aws).into_iter();
        calls.any(|call| call.operation == "ChangeResourceRecordSets")
    };
    let all = played.ran.iter().enumerate();
    all.filter(|(_, ran)| sets_weights(ran))
        .map(|(number, ran)| (number, ran.crash_points(&played.aws)))
        .collect()
}

/// How often weights are set without a crash, and for each attempt that sets them, with a crash
/// after each of its changes.
fn crash_in_each_shift(chapter: &Chapter) -> (usize, Vec<Vec<usize>>) {
    let before = site(&[]);
    let undisturbed = play(before.clone(), chapter, Fault::None, &mut |_| {});
    let undisturbed = undisturbed.expect("it goes as expected");
    let shifts = shifts(&undisturbed);
    assert!(shifts.len() >= 2, "{shifts:?}");

    let mut with_crashes = Vec::new();
    for (attempt, calls) in shifts {
        let mut counts = Vec::new();
        for call in calls {
            let crash = CallFault::CrashAfter(call);
            let fault = Fault::Call {
                attempt,
                fault: crash,
            };
            let played = play(before.clone(), chapter, fault, &mut |_| {})
                .unwrap_or_else(|error| panic!("attempt {attempt}, call {call}: {error}"));
            assert_eq!(played.ran[attempt].met, [crash], "call {call}");
            counts.push(changes(&played.aws).len());
        }
        with_crashes.push(counts);
    }
    (changes(&undisturbed.aws).len(), with_crashes)
}

#[test]
fn a_crash_in_a_step_changes_no_end_and_a_change_without_its_id_is_made_again() {
    let (undisturbed, with_crashes) = crash_in_each_shift(&CHAPTERS[0]);
    // After one of the calls, weights are set and the id of their change is not recorded: only a
    // second change to the same weights can be followed until Route 53 is in sync.
    for counts in with_crashes {
        assert!(counts.contains(&(undisturbed + 1)), "{counts:?}");
    }
}

#[test]
fn a_crash_in_a_return_of_the_traffic_changes_no_end() {
    crash_in_each_shift(&CHAPTERS[2]);
}
