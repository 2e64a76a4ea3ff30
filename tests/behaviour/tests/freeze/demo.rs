//! What `cargo sandbox --pipeline freeze` shows: four images, and how their releases end.

use harness::demo::freeze::{CASES, opened};
use harness::demo::play;
use harness::driver::Fault;

#[test]
fn four_images_end_as_expected_with_seeds_1_to_8() {
    behaviour::on_all_cores(&Vec::from_iter(1..=8), |seed| {
        let mut aws = opened(*seed).expect("the shop opens");
        for case in &CASES {
            case.prepare(&mut aws).expect("the template deploys");
            let played = play(aws, &case.chapter, Fault::None, &mut |_| {});
            aws = played
                .unwrap_or_else(|wrong| panic!("seed {seed}: {wrong}"))
                .aws;
        }
    });
}
