//! Approvals that a pipeline waits for, and that an operator gives.

use harness::approvals::{self, Approval};
use harness::driver::Driver;

use crate::until;

/// Lets time pass until a pipeline waits for an approval.
///
/// # Panics
/// When it does not in time.
pub async fn until_approval(driver: &Driver, pipeline: &str) -> Approval {
    until(driver, |aws| !approvals::waiting(aws, pipeline).is_empty()).await;
    let mut waiting = approvals::waiting(&driver.world.aws(), pipeline);
    waiting.remove(0)
}

/// An operator approves or rejects.
///
/// # Panics
/// When it does not wait any more.
pub fn answer(driver: &Driver, approval: &Approval, approves: bool) {
    let answered = approval.answer(&mut driver.world.aws(), approves);
    driver.world.touch();
    answered.expect("it waits");
}
