//! What `cargo sandbox --pipeline dns` shows: three images, and how their releases end.

use std::ops::RangeInclusive;

use harness::demo::{dns, play};
use harness::driver::Fault;

fn three_images_end_as_expected(seeds: RangeInclusive<u64>) {
    for seed in seeds {
        let mut aws = dns::opened(seed, &[], &[]).expect("the site opens");
        for chapter in &dns::CHAPTERS {
            let before = dns::all_follow(aws).expect("nothing is denied");
            let played = play(before, chapter, Fault::None, &mut |_| {});
            aws = played
                .unwrap_or_else(|wrong| panic!("seed {seed}: {wrong}"))
                .aws;
        }
    }
}

// Two tests, so that they run side by side.

#[test]
fn three_images_end_as_expected_with_seeds_1_to_10() {
    three_images_end_as_expected(1..=10);
}

#[test]
fn three_images_end_as_expected_with_seeds_11_to_21() {
    three_images_end_as_expected(11..=21);
}
