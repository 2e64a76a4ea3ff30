//! The canary pipeline on the sandbox: what is healthy is promoted, what is not is rolled back by
//! the invocation that saw it, and neither chance nor a second delivery changes that.

mod answers;
mod cases;
mod crashes;
mod demo;
mod endings;
mod guards;
mod measuring;
mod metrics;
mod promotion;
mod raise;
mod wrong_parameters;

use std::sync::LazyLock;

use behaviour::shop::{release, shop};
use emulator::Aws;
use emulator::ecr::Answers;
use harness::driver::{Fault, run};

/// A release that has ended.
struct Released {
    aws: Aws,
    execution: String,
}

/// The release of a good image, played once for all tests that look at its end.
static GOOD: LazyLock<Released> = LazyLock::new(|| {
    run(shop(), Fault::None, async |driver| {
        let execution = release(&driver, "2.0.0", Answers::GOOD).await;
        let aws = driver.world.snapshot();
        Released { aws, execution }
    })
});
