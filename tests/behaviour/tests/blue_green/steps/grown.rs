//! The proof of a restored pair whose old colour automatic scaling changes meanwhile.

use emulator::{Aws, autoscaling};
use harness::demo::CLUSTER;
use harness::driver::{Fault, run};

use super::back::{
    enables_scale_in, recorded, restores_the_traffic, returns_the_new_colour, taken_over,
};
use super::{half, open};
use behaviour::pair::{counts, secs};
use behaviour::pass;

#[test]
fn a_pair_is_proven_although_its_old_colour_grows_meanwhile() {
    run(taken_over(half()), Fault::None, async |driver| {
        let prior = open(&driver.world.aws())["prior"].clone();
        restores_the_traffic(&driver).await;
        enables_scale_in(&driver).await;
        let grow = || autoscaling::adjust(&mut driver.world.aws(), CLUSTER, "shop-green", 1);
        assert!(grow());
        returns_the_new_colour(&driver, &prior, 3).await;

        // Sweeps prove it; the most that green may have is 8.
        let is_open = |aws: &Aws| recorded(aws)["outcome"].is_null();
        while is_open(&driver.world.aws()) {
            assert!(grow(), "it was not proven while green grew");
            // A sweep comes every minute, and a task can take as long until it is healthy.
            pass(&driver, secs(90)).await;
        }

        let record = recorded(&driver.world.aws());
        assert_eq!(record["outcome"], "rolled-back");
        let reason = record["reason"].as_str().unwrap_or_default();
        assert!(reason.contains(" serves again as green with "), "{reason}");
        assert!(counts(&driver.world.aws())[1] > 2, "it grew");
    });
}
