//! An image whose release an operator stopped is not rejected: a later push releases it.

use std::time::Duration;

use behaviour::{
    ends, image_of, in_progress, outcome, pass, push, released, retag, settled, stop, until,
};
use emulator::Aws;
use harness::demo::WEB;
use harness::driver::{Fault, run};
use invariants::Invariants;
use invariants::ledger_reader::{executions, item, record};
use serde_json::json;

const PIPELINE: &str = "slipway-web";

fn count(aws: &Aws) -> usize {
    executions(aws, PIPELINE).count()
}

#[test]
fn an_image_whose_release_was_stopped_is_released_by_its_next_push() {
    run(released(), Fault::None, async |driver| {
        let pushed = push(&driver, WEB, "2.0.0");
        let execution = in_progress(&driver, &pushed).await;
        stop(&driver, PIPELINE, &execution);
        settled(&driver, PIPELINE, &pushed).await;
        assert_eq!(outcome(&driver, &execution), "rolled-back");
        let aws = driver.world.snapshot();
        let closed = record(&aws, &execution).expect("recorded");
        assert_eq!(closed["withdrawn"], json!({"BOOL": true}));
        let key = json!({"pk": {"S": format!("push#{PIPELINE}")}, "sk": {"S": pushed}});
        let claim = item(&aws, &key).expect("claimed");
        assert!(claim.get("expires_at").is_some(), "it refuses nothing");

        // Neither a sweep nor anything else brings it back by itself.
        let before = count(&aws);
        pass(&driver, Duration::from_secs(3_700)).await;
        assert_eq!(count(&driver.world.aws()), before);

        retag(&driver, WEB, &pushed, "2.0.0-again");
        until(&driver, |aws| count(aws) > before).await;
        ends(&driver, PIPELINE, &pushed, "deployed").await;
        assert!(image_of(&driver.world.aws(), WEB).ends_with(&pushed));
        let aws = driver.world.snapshot();
        Invariants::default().at_end(&aws).expect("no push is lost");
    });
}
