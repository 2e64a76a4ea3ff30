//! The snapshots of which no entry concerns an operation that the emulator serves.

use super::{Returned, judge};

#[test]
fn nothing_of_these_snapshots_is_served() {
    let reasons = [
        (
            "cloudformation/test_dynamodb.snapshot.json",
            "DescribeTable",
        ),
        (
            "events/test_events_cross_account_region.snapshot.json",
            "other buses and accounts",
        ),
        ("events/test_events_tags.snapshot.json", "tags"),
        (
            "events/test_events_targets.snapshot.json",
            "PutEvents; targets other than functions",
        ),
        (
            "s3/test_s3_notifications_eventbridge.snapshot.json",
            "notifications of buckets",
        ),
    ];
    for (file, reason) in reasons {
        judge(file, &Returned::default(), &[("*", reason)]);
    }
}
