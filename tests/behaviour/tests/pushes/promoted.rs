//! Images that are promoted by a tag after they were pushed: the sweep finds a promotion whose event
//! was lost by the tag that has left the newest push.

use emulator::ecr::{self, Behaviour};
use harness::driver::{Driver, Fault, run};
use invariants::ledger_reader::text;
use serde_json::{Value, json};

use crate::sweep::{
    TOOLS, claim, deliver_last, nothing, pass_minutes, started, sweep, tag, tools, without_a_rule,
};

/// Pushes two images under tags that are not delivered, and promotes the first one. Returns the
/// subscription to the tag of a promotion, and the digests.
async fn promoted_once(driver: &Driver) -> (Value, [String; 2]) {
    let mut of_promotions = tools(driver);
    of_promotions["tag_pattern"] = json!("production");
    let mut pushed = Vec::new();
    for number in ["build-1", "build-2"] {
        let digest = ecr::push(&mut driver.world.aws(), TOOLS, number, Behaviour::Healthy);
        pushed.push(digest.expect("pushed"));
        pass_minutes(driver, 1).await;
    }
    tag(driver, TOOLS, &pushed[0], "production");
    let answer = deliver_last(driver, &of_promotions).await;
    assert_eq!(answer["status"], "started", "{answer}");
    pass_minutes(driver, 11).await;
    assert_eq!(sweep(driver, of_promotions.clone()).await, nothing());
    (of_promotions, pushed.try_into().expect("two"))
}

#[test]
fn a_promotion_whose_event_was_lost_is_started_though_its_image_is_older_than_the_last_one() {
    run(without_a_rule(), Fault::None, async |driver| {
        let (of_promotions, [_, promoted]) = promoted_once(&driver).await;
        tag(&driver, TOOLS, &promoted, "production");

        let swept = sweep(&driver, of_promotions.clone()).await;
        // By its first push it is older than the last promotion, and by its tag newer.
        assert_eq!(swept["missed"][0]["status"], "refused", "{swept}");
        assert_eq!(swept["missed"][1]["status"], "started", "{swept}");
        assert_eq!(swept["missed"][1]["digest"], json!(promoted));
        assert_eq!(started(&driver, &promoted), 1);
        let claimed = claim(&driver, &promoted).expect("claimed");
        assert_eq!(text(&claimed, "refusal"), None);

        pass_minutes(&driver, 11).await;
        assert_eq!(sweep(&driver, of_promotions).await, nothing());
    });
}

#[test]
fn a_promotion_that_its_gate_refuses_is_refused_once() {
    run(without_a_rule(), Fault::None, async |driver| {
        let (mut of_promotions, [_, promoted]) = promoted_once(&driver).await;
        of_promotions["image_gate"] = json!("age:0");
        tag(&driver, TOOLS, &promoted, "production");

        let swept = sweep(&driver, of_promotions.clone()).await;
        assert_eq!(swept["missed"][1]["status"], "refused", "{swept}");
        let refused = claim(&driver, &promoted).expect("recorded");
        let refusal = text(&refused, "refusal").expect("a reason");
        assert!(refusal.contains("expected at most 0 hours"), "{refusal}");
        assert_eq!(sweep(&driver, of_promotions).await, nothing());
        assert_eq!(started(&driver, &promoted), 0);
    });
}

#[test]
fn a_new_image_with_the_tag_of_the_last_promotion_is_refused_by_its_gate_once() {
    run(without_a_rule(), Fault::None, async |driver| {
        let (mut of_promotions, _) = promoted_once(&driver).await;
        of_promotions["image_gate"] = json!("age:0");
        let behaviour = Behaviour::Exits;
        let pushed = ecr::push(&mut driver.world.aws(), TOOLS, "production", behaviour);
        let pushed = pushed.expect("pushed");
        pass_minutes(&driver, 11).await;

        let swept = sweep(&driver, of_promotions.clone()).await;
        let missed = swept["missed"].as_array().expect("a list");
        assert_eq!(missed.len(), 1, "{swept}");
        assert_eq!(missed[0]["digest"], json!(pushed));
        assert_eq!(sweep(&driver, of_promotions).await, nothing());
        assert_eq!(started(&driver, &pushed), 0);
    });
}

#[test]
fn a_tag_that_the_pipeline_no_longer_delivers_refuses_no_image_to_which_it_is_given() {
    run(without_a_rule(), Fault::None, async |driver| {
        let (mut of_builds, [_, promoted]) = promoted_once(&driver).await;
        of_builds["tag_pattern"] = json!("build-*");
        tag(&driver, TOOLS, &promoted, "production");

        let swept = sweep(&driver, of_builds.clone()).await;
        let missed = swept["missed"].as_array().expect("a list");
        assert_eq!(missed.len(), 1, "{swept}");
        let recorded = claim(&driver, &promoted).expect("recorded");
        let refusal = text(&recorded, "refusal").expect("a reason");
        assert!(refusal.starts_with("superseded"), "{refusal}");
        assert_eq!(sweep(&driver, of_builds).await, nothing());
    });
}
