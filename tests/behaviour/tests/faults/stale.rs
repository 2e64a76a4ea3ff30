//! Reads that lag behind changes for some seconds: a release ends as it does when all reads are
//! current.

use std::time::Duration;

use emulator::{Aws, Quirk, Stale};
use harness::demo::{CLUSTER, Chapter, SHOP, WEB};
use harness::driver::{Driver, Fault, run};

use super::scenes::{active, scenes, unlike};
use behaviour::{
    in_progress, newest, on_all_cores, outcome, pair, push, reason, released, service, settled,
    stop,
};

/// Longer than the shortest time between two jobs of an action, so that the next job may still see
/// what was before.
const LONGEST: Duration = Duration::from_secs(20);

/// Some minutes, since `roll-back` looks once a minute; ECS advises to look again for up to five.
const LONGEST_OF_ROLLBACKS: Duration = Duration::from_secs(300);

/// How many reads lagged behind.
fn lagged(aws: &Aws) -> u32 {
    aws.quirks.counts().held(Quirk::StaleRead)
}

/// Plays the chapters on several seeds, which draw how long each change stays unseen and by which
/// reads.
fn ends_alike<const N: usize>(wanted: fn(&Chapter) -> bool, seeds: [u64; N]) {
    let played = on_all_cores(&seeds, |seed| {
        let change = |aws: &mut Aws| {
            aws.reseed(*seed);
            aws.stale.longest = Some(LONGEST);
        };
        let mut reads = 0;
        let errors = unlike(wanted, change, &mut |aws| reads += lagged(aws));
        let errors = errors.iter().map(|error| format!("seed {seed}: {error}"));
        (errors.collect::<Vec<_>>(), reads)
    });
    let reads: u32 = played.iter().map(|(_, reads)| reads).sum();
    let wrong: Vec<String> = played.into_iter().flat_map(|(errors, _)| errors).collect();

    assert!(
        wrong.is_empty(),
        "{} chapters:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(reads > 0, "no read lagged behind");
}

#[test]
fn releases_in_place_end_alike_when_reads_lag_behind() {
    ends_alike(
        |chapter| chapter.application != SHOP,
        std::array::from_fn::<u64, 30, _>(|seed| seed as u64),
    );
}

#[test]
fn releases_of_a_pair_end_alike_when_reads_lag_behind() {
    ends_alike(|chapter| chapter.application == SHOP, [1, 3, 9, 14]);
}

/// The account after a rollback, which is read as it is.
fn rolled_back(driver: &Driver, execution: &str, seed: u64) -> Aws {
    assert_eq!(
        outcome(driver, execution),
        "rolled-back",
        "seed {seed}: {}",
        reason(driver, execution)
    );
    let mut aws = driver.world.snapshot();
    aws.stale = Stale::default();
    aws
}

/// The knob is set once the new colour has traffic, so that only what goes back is read late.
#[test]
fn a_rollback_on_demand_restores_all_when_reads_lag_behind() {
    let mut reads = 0;
    for seed in [8, 14, 18, 20, 25, 30] {
        let mut aws = scenes().last().expect("chapters").before.clone();
        aws.reseed(seed);
        let before = pair::state(&aws);
        run(aws, Fault::None, async |driver| {
            let pushed = push(&driver, SHOP, "1.3.0");
            pair::until_weights(&driver, [60, 40]).await;
            let execution = newest(&driver.world.aws(), pair::PIPELINE).id.clone();
            driver.world.aws().stale.longest = Some(LONGEST_OF_ROLLBACKS);
            pair::stop(&driver, &execution);
            settled(&driver, pair::PIPELINE, &pushed).await;

            let aws = rolled_back(&driver, &execution, seed);
            assert_eq!(pair::state(&aws), before, "seed {seed}");

            reads += lagged(&aws);
        });
    }

    assert!(reads > 0, "no read lagged behind");
}

/// ECS may show the service for some minutes as it was before the deployment that is stopped, which
/// is what a rollback wants to see.
#[test]
fn a_rollback_in_place_restores_all_when_reads_lag_behind() {
    let before = released();
    let runs = |aws: &Aws| service(aws, CLUSTER, WEB)["taskDefinition"].clone();
    let (prior, revisions) = (runs(&before), active(&before, WEB));

    let mut reads = 0;
    for seed in 0..20 {
        let mut aws = before.clone();
        aws.reseed(seed);
        run(aws, Fault::None, async |driver| {
            driver.world.aws().stale.longest = Some(LONGEST_OF_ROLLBACKS);
            let pushed = push(&driver, WEB, "2.0.0");
            let execution = in_progress(&driver, &pushed).await;
            stop(&driver, "slipway-web", &execution);
            settled(&driver, "slipway-web", &pushed).await;

            let aws = rolled_back(&driver, &execution, seed);
            assert_eq!(runs(&aws), prior, "seed {seed}");
            assert_eq!(active(&aws, WEB), revisions, "seed {seed}");

            reads += lagged(&aws);
        });
    }

    assert!(reads > 0, "no read lagged behind");
}
