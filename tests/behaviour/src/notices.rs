//! Notices: turned on, and the events that they are.

use emulator::Aws;
use harness::demo::WEB;
use harness::driver::Driver;
use invariants::ledger_reader::FUNCTIONS_STACK;
use serde_json::Value;

use crate::pair;

/// Turns the notices on.
pub fn turn_on(aws: &mut Aws) {
    pair::update(aws, FUNCTIONS_STACK, &[("Notices", "yes")]);
    let source = aws.cloudformation.export("slipway-NoticeSource");
    assert_eq!(source, Some("slipway"), "{FUNCTIONS_STACK} exports it");
}

/// Turns the notices on, lets the releases of the web service wait for an approval, and pushes an
/// image; returns its digest.
pub fn wait_for_approval(driver: &Driver, tag: &str) -> String {
    {
        let aws = &mut driver.world.aws();
        turn_on(aws);
        pair::update(aws, "web-pipeline", &[("Approval", "yes")]);
    }
    crate::push(driver, WEB, tag)
}

/// The events that announced something, oldest first.
pub fn announced(aws: &Aws) -> impl Iterator<Item = &Value> {
    let events = aws.events.events.iter();
    events.filter(|event| event["source"] == "slipway")
}

/// How many events of a detail type there are.
pub fn events(aws: &Aws, detail_type: &str) -> usize {
    let of_type = announced(aws).filter(|event| event["detail-type"] == detail_type);
    of_type.count()
}
