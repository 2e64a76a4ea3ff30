//! The ledger is read with ConsistentRead: a DynamoDB whose other reads lag behind changes no
//! ending.

use super::scenes::ends_alike;

#[test]
fn every_chapter_ends_alike_when_reads_that_may_lag_behind_do() {
    ends_alike(|_| true, |aws| aws.dynamodb.lag());
}
