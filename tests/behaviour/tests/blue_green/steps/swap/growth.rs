//! The new colour is made as large as the load of now before it gets traffic, and is judged by that
//! size from then on.

use harness::driver::{Fault, run};
use serde_json::json;

use super::super::{calls, changed, filled, going, open, report};
use super::swap;
use behaviour::pair::{bound, counts, secs, set, weights};
use behaviour::{deny, pass};

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

#[test]
fn the_new_colour_grows_to_its_max_capacity_and_the_summary_has_what_it_lacks() {
    let mut aws = filled();
    bound(&mut aws, "shop-blue", 3);
    set(&mut aws, "shop-green", json!({"desiredCount": 5}));
    run(aws, Fault::None, async |driver| {
        let limit = "MaxCapacity of blue is below the 5 tasks that all of the traffic needs";
        assert_eq!(
            report(&swap(&driver, json!({})).await),
            going(&format!("blue grows to 3 tasks first; {limit}"), 0)
        );
        assert_eq!(counts(&driver.world.aws()), [3, 5]);

        pass(&driver, secs(300)).await;
        assert_eq!(
            report(&swap(&driver, json!({})).await),
            going(&format!("50% to blue, baking begins; {limit}"), 0)
        );
        let aws = driver.world.snapshot();
        assert_eq!((weights(&aws), counts(&aws)), ([50, 50], [3, 5]));
        assert_eq!(open(&aws)["change"]["desired_count"], 3);
    });
}

/// A colour that may grow as it likes grows although its bound cannot be read.
#[test]
fn a_bound_that_may_not_be_read_keeps_no_colour_small() {
    let mut aws = filled();
    set(&mut aws, "shop-green", json!({"desiredCount": 3}));
    run(aws, Fault::None, async |driver| {
        deny(&driver, "application-autoscaling:DescribeScalableTargets");
        assert_eq!(
            report(&swap(&driver, json!({})).await),
            going("blue grows to 3 tasks first", 0)
        );
        assert_eq!(counts(&driver.world.aws()), [3, 3]);
    });
}
