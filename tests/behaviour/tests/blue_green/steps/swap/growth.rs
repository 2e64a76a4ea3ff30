//! The new colour is made as large as the load of now before it gets traffic, and is judged by that
//! size from then on.

use harness::driver::{Fault, run};
use serde_json::json;

use super::super::{calls, changed, filled, going, open, report};
use super::swap;
use behaviour::pair::{counts, secs, set, weights};
use behaviour::pass;

#[test]
fn the_new_colour_grows_as_announced_and_its_proven_size_is_recorded_before_its_traffic() {
    let mut aws = filled();
    set(&mut aws, "shop-green", json!({"desiredCount": 3}));
    run(aws, Fault::None, async |driver| {
        let since = calls(&driver);
        assert_eq!(
            report(&swap(&driver, json!({})).await),
            going("blue grows to 3 tasks first", 0)
        );

        let aws = driver.world.snapshot();
        assert_eq!(changed(&aws, since), ["PutItem", "UpdateService"]);
        assert_eq!((weights(&aws), counts(&aws)), ([0, 100], [3, 3]));
        let release = open(&aws);
        assert_eq!(release["change"]["desired_count"], 2);
        assert_eq!(release["change"]["given"], 3);

        pass(&driver, secs(300)).await;
        let since = calls(&driver);
        assert_eq!(
            report(&swap(&driver, json!({})).await),
            going("50% to blue, baking begins", 0)
        );

        let aws = driver.world.snapshot();
        assert_eq!(
            changed(&aws, since),
            ["PutItem", "PutItem", "ModifyRule", "PutItem"]
        );
        assert_eq!(open(&aws)["change"]["desired_count"], 3);
        assert_eq!(weights(&aws), [50, 50]);
    });
}
