//! The snapshots of which no entry concerns what the emulator serves.

use super::events::QUEUES;
use super::left_out::{Lack, LeftOut, Sign};
use super::{Returned, judge};

const NOTIFICATIONS: Lack = Lack::Other("notifications of buckets");
const VERSIONS: Lack = Lack::Other("objects with the checksums and versions of boto3's requests");

#[test]
fn nothing_of_these_snapshots_is_served() {
    let table = |operation| Lack::Operation("dynamodb", operation);
    let of_tables: [LeftOut; 3] = [
        (Sign::Member("Table"), table("DescribeTable")),
        (Sign::Member("Tags"), table("ListTagsOfResource")),
        (
            Sign::Member("TimeToLiveDescription"),
            table("DescribeTimeToLive"),
        ),
    ];
    let of_accounts: [LeftOut; 1] = [(Sign::Holds("ReceiptHandle"), QUEUES)];
    let of_buckets: [LeftOut; 4] = [
        (Sign::Holds("detail-type"), NOTIFICATIONS),
        (Sign::Member("ChecksumCRC32"), VERSIONS),
        (Sign::Member("DeleteMarker"), VERSIONS),
        (Sign::Entry("delete-version"), VERSIONS),
    ];
    for (file, rules) in [
        ("cloudformation/test_dynamodb.snapshot.json", &of_tables[..]),
        (
            "events/test_events_cross_account_region.snapshot.json",
            &of_accounts[..],
        ),
        (
            "s3/test_s3_notifications_eventbridge.snapshot.json",
            &of_buckets[..],
        ),
    ] {
        judge(file, &Returned::default(), rules);
    }
}
