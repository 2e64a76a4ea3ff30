//! Crashes after each call of the attempts that set weights: Lambda's retry, or a later job, ends
//! the release as it would have ended, and the invariants hold meanwhile.

use emulator::client::CallFault;
use harness::demo::dns::CHAPTERS;
use harness::demo::{Chapter, Played, play};
use harness::driver::Fault;

use super::site;

/// The attempts that set weights, by their numbers, each with the number of its calls.
fn shifts(played: &Played) -> Vec<(usize, u32)> {
    let sets_weights = |attempt: u64| {
        let mut calls = played.aws.calls.iter();
        calls.any(|call| {
            call.operation == "ChangeResourceRecordSets" && call.attempt == Some(attempt)
        })
    };
    let all = played.ran.iter().enumerate();
    all.filter(|(_, ran)| sets_weights(ran.attempt))
        .map(|(number, ran)| (number, ran.calls))
        .collect()
}

fn crash_in_each_shift(chapter: &Chapter) {
    let before = site(&[]);
    let undisturbed = play(before.clone(), chapter, Fault::None, &mut |_| {});
    let shifts = shifts(&undisturbed.expect("it goes as expected"));
    assert!(shifts.len() >= 2, "{shifts:?}");

    for (attempt, calls) in shifts {
        for call in 1..=calls {
            let fault = Fault::Call {
                attempt,
                fault: CallFault::CrashAfter(call),
            };
            play(before.clone(), chapter, fault, &mut |_| {})
                .unwrap_or_else(|error| panic!("attempt {attempt}, call {call}: {error}"));
        }
    }
}

#[test]
fn a_crash_in_a_step_changes_no_end() {
    crash_in_each_shift(&CHAPTERS[0]);
}

#[test]
fn a_crash_in_a_return_of_the_traffic_changes_no_end() {
    crash_in_each_shift(&CHAPTERS[2]);
}
