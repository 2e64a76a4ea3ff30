//! What is not compared of DynamoDB.

use crate::recorded::left_out::{Lack, LeftOut, Sign};

const fn table_of(operation: &'static str) -> Lack {
    Lack::Operation("dynamodb", operation)
}

const INDEXES: Lack = Lack::Other("secondary indexes");

/// Streams are read by the driver, not by calls.
pub(super) const LEFT_OUT: &[LeftOut] = &[
    (Sign::Member("UnprocessedItems"), table_of("BatchWriteItem")),
    (
        Sign::Holds("calling the BatchWriteItem operation"),
        table_of("BatchWriteItem"),
    ),
    (Sign::Member("UnprocessedKeys"), table_of("BatchGetItem")),
    (Sign::Operation, table_of("TransactGetItems")),
    (Sign::Operation, table_of("DescribeTable")),
    (Sign::Holds("KMSMasterKeyArn"), table_of("DescribeTable")),
    (
        Sign::Member("KeyMetadata"),
        Lack::Operation("kms", "DescribeKey"),
    ),
    (Sign::Operation, table_of("GetRecords")),
    (Sign::Operation, table_of("DescribeStream")),
    (Sign::Operation, table_of("GetShardIterator")),
    (Sign::Member("Streams"), table_of("ListStreams")),
    (
        Sign::Member("ContinuousBackupsDescription"),
        table_of("UpdateContinuousBackups"),
    ),
    (Sign::Holds("GlobalSecondaryIndexes"), INDEXES),
    (Sign::Holds("LSI1SK"), INDEXES),
    (
        Sign::Member("ContributorInsightsStatus"),
        table_of("DescribeContributorInsights"),
    ),
    (
        Sign::Test("test_kinesis_streaming_destination_crud"),
        table_of("EnableKinesisStreamingDestination"),
    ),
    (
        Sign::Entry("ExecutedTransaction"),
        table_of("ExecuteTransaction"),
    ),
    (
        Sign::Entry("ExecutedStatement"),
        table_of("BatchExecuteStatement"),
    ),
    (
        Sign::Entry("FirstNameNotMissing"),
        table_of("ExecuteStatement"),
    ),
    (Sign::Holds("at 'parameters'"), table_of("ExecuteStatement")),
];
