//! What `cargo sandbox --pipeline canary` shows: five images, and how their releases end.

use harness::demo::canary::{CASES, opened};
use harness::demo::play;
use harness::driver::Fault;

use behaviour::pair;

/// Plays the five cases of a seed; each must end as its case expects.
fn five_images_end_as_their_metrics_require(seed: u64) {
    let mut aws = opened(seed, &[]).expect("the shop opens");
    for case in &CASES {
        let before = pair::state(&aws);
        case.prepare(&mut aws).expect("there is a shop");
        let played = play(aws, &case.chapter(), Fault::None, &mut |_| {});
        let played = played.unwrap_or_else(|wrong| panic!("seed {seed}: {wrong}"));
        aws = played.aws;
        let reason = &played.release.reason;

        if played.release.outcome == "rolled-back" {
            // How soon it is certain depends on the requests that are drawn. Slowness must last, as
            // it may decay while the image warms up: 9 of 10 are found within 17 minutes.
            let latest = if reason.starts_with("slower") { 20 } else { 8 };
            let soon = (1..=latest).any(|minutes| reason.contains(&format!("after {minutes} min")));
            assert!(soon, "seed {seed}: {reason}");
        }
        if played.release.outcome != "deployed" {
            assert_eq!(
                pair::state(&aws),
                before,
                "seed {seed}, {}: {reason}",
                case.title
            );
        }
    }
}

// Four tests, so that they run side by side.

#[test]
fn five_images_end_as_their_metrics_require_with_seeds_1_to_5() {
    (1..=5).for_each(five_images_end_as_their_metrics_require);
}

#[test]
fn five_images_end_as_their_metrics_require_with_seeds_6_to_10() {
    (6..=10).for_each(five_images_end_as_their_metrics_require);
}

#[test]
fn five_images_end_as_their_metrics_require_with_seeds_11_to_15() {
    (11..=15).for_each(five_images_end_as_their_metrics_require);
}

#[test]
fn five_images_end_as_their_metrics_require_with_seeds_16_to_20() {
    (16..=20).for_each(five_images_end_as_their_metrics_require);
}
