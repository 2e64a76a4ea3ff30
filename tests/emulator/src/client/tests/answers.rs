//! What comes in place of responses, as the SDK sees it: longer than its own three attempts, and
//! shorter.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{Put, TransactWriteItem};

use super::*;

/// What each of this many calls from the first on gets.
fn gets(count: u32, trouble: Trouble) -> CallFault {
    CallFault::From {
        first: 1,
        count,
        trouble,
    }
}

/// Counts once while every call meets this; returns the error, how many calls were made and the
/// fence afterwards.
async fn outlasted(
    trouble: Trouble,
) -> (
    aws_sdk_dynamodb::error::SdkError<PutItemError, HttpResponse>,
    u32,
    Option<String>,
) {
    let world = world();
    let (client, invocation) = ledger(&world, gets(100, trouble));
    let error = count(&client).send().await.unwrap_err();
    assert_eq!(invocation.met(), [gets(100, trouble)]);
    (error, invocation.made(), fence(&world))
}

#[tokio::test(start_paused = true)]
async fn silence_outlasts_the_attempts_with_the_effect_of_each_or_without() {
    for (effect, after) in [(false, None), (true, Some("3"))] {
        let (error, made, fence) = outlasted(Trouble::Silence { effect }).await;
        let aws_sdk_dynamodb::error::SdkError::DispatchFailure(failure) = error else {
            panic!("{error:?}")
        };
        assert!(failure.is_timeout(), "{failure:?}");
        assert_eq!((made, fence.as_deref()), (3, after), "effect: {effect}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_connection_has_no_effect_and_a_reset_one_had_it() {
    for (trouble, kind, after) in [
        (Trouble::Refused, io::ErrorKind::ConnectionRefused, None),
        (Trouble::Reset, io::ErrorKind::ConnectionReset, Some("3")),
    ] {
        let (error, made, fence) = outlasted(trouble).await;
        let aws_sdk_dynamodb::error::SdkError::DispatchFailure(failure) = error else {
            panic!("{error:?}")
        };
        let source = failure
            .as_connector_error()
            .and_then(std::error::Error::source);
        let cause = source
            .and_then(|source| source.downcast_ref::<io::Error>())
            .map(io::Error::kind);
        assert_eq!((failure.is_io(), cause), (true, Some(kind)));
        assert_eq!((made, fence.as_deref()), (3, after), "{trouble:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_of_a_proxy_has_a_status_and_nothing_that_the_sdk_can_read() {
    for (status, effect, after) in [(502, false, None), (503, true, Some("3"))] {
        let (error, made, fence) = outlasted(Trouble::Page { status, effect }).await;
        assert_eq!(
            error
                .raw_response()
                .map(|response| response.status().as_u16()),
            Some(status)
        );

        let body = error
            .raw_response()
            .and_then(|response| response.body().bytes())
            .unwrap();
        assert!(
            body.starts_with(b"<html>"),
            "{}",
            String::from_utf8_lossy(body)
        );
        assert_eq!(
            error
                .as_service_error()
                .and_then(|error| error.meta().code()),
            None
        );
        assert_eq!((made, fence.as_deref()), (3, after), "effect: {effect}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_has_an_error_of_its_own_with_the_effect_or_without() {
    for (effect, after) in [(false, None), (true, Some("3"))] {
        let (error, made, fence) = outlasted(Trouble::InternalError { effect }).await;
        assert_eq!(
            error
                .raw_response()
                .map(|response| response.status().as_u16()),
            Some(500)
        );
        assert!(matches!(
            error.into_service_error(),
            PutItemError::InternalServerError(_)
        ));
        assert_eq!((made, fence.as_deref()), (3, after), "effect: {effect}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_cut_off_had_its_effect_and_is_an_error_of_the_transport() {
    let (error, made, fence) = outlasted(Trouble::CutOff).await;
    assert_eq!((made, fence.as_deref()), (3, Some("3")));

    let cause = std::error::Error::source(&error)
        .and_then(|source| source.downcast_ref::<io::Error>())
        .map(io::Error::kind);
    assert_eq!(cause, Some(io::ErrorKind::UnexpectedEof));
    let aws_sdk_dynamodb::error::SdkError::ResponseError(broken) = error else {
        panic!("{error:?}")
    };
    assert_eq!(broken.raw().status().as_u16(), 200);
}

#[tokio::test(start_paused = true)]
async fn each_service_words_its_own_error() {
    let world = world();
    let config = || {
        sdk_config(
            &world,
            Invocation::new(
                "operator",
                gets(100, Trouble::InternalError { effect: false }),
            ),
        )
    };
    let ecr = aws_sdk_ecr::Client::new(&config())
        .describe_repositories()
        .send()
        .await
        .unwrap_err();

    assert!(ecr.into_service_error().is_server_exception());

    let s3 = aws_sdk_s3::Client::new(&config())
        .get_object()
        .bucket("artifacts")
        .key("k")
        .send()
        .await
        .unwrap_err();
    assert_eq!(s3.into_service_error().meta().code(), Some("InternalError"));

    let cloudwatch = aws_sdk_cloudwatch::Client::new(&config())
        .describe_alarms()
        .send()
        .await
        .unwrap_err();
    assert_eq!(
        cloudwatch.into_service_error().meta().code(),
        Some("InternalFailure")
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_shorter_than_the_attempts_is_not_noticed() {
    for (trouble, after) in [
        (Trouble::Silence { effect: false }, "1"),
        (Trouble::Refused, "1"),
        (Trouble::Reset, "3"),
        (Trouble::CutOff, "3"),
        (
            Trouble::Page {
                status: 502,
                effect: false,
            },
            "1",
        ),
        (Trouble::InternalError { effect: true }, "3"),
    ] {
        let world = world();
        let (client, invocation) = ledger(&world, gets(2, trouble));
        count(&client).send().await.unwrap();
        assert_eq!(
            (invocation.made(), fence(&world).as_deref()),
            (3, Some(after)),
            "{trouble:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_that_conflicts_is_refused_once_or_several_times_and_not_retried() {
    for times in [1, 2] {
        let world = world();
        let (client, invocation) = ledger(&world, gets(times, Trouble::Conflict));

        for nth in 1..=times {
            let error = count(&client)
                .send()
                .await
                .unwrap_err()
                .into_service_error();
            assert!(
                matches!(error, PutItemError::TransactionConflictException(_)),
                "{error:?}"
            );
            assert_eq!((invocation.made(), fence(&world)), (nth, None));
        }

        count(&client).send().await.unwrap();
        assert_eq!(
            (invocation.made(), fence(&world).as_deref()),
            (times + 1, Some("1"))
        );
    }
}

#[tokio::test(start_paused = true)]
async fn credentials_that_are_not_taken_are_refused_without_effect_and_not_retried() {
    let world = world();
    let (client, invocation) = ledger(&world, gets(40, Trouble::Credentials));
    let mut codes = BTreeSet::new();

    for nth in 1..=40 {
        let refused = count(&client).send().await.unwrap_err();
        let error = refused.into_service_error();
        codes.extend(error.meta().code().map(str::to_owned));
        assert_eq!((invocation.made(), fence(&world)), (nth, None));
    }
    let expected = [
        "ExpiredTokenException",
        "InvalidSignatureException",
        "UnrecognizedClientException",
    ];
    assert_eq!(codes, BTreeSet::from(expected.map(str::to_owned)));

    count(&client).send().await.unwrap();
    assert_eq!(fence(&world).as_deref(), Some("1"));
}

#[tokio::test(start_paused = true)]
async fn a_transaction_that_conflicts_is_canceled_with_its_reasons() {
    let world = world();
    let (client, invocation) = ledger(&world, gets(1, Trouble::Conflict));
    let put = |pk: &str| {
        let put = Put::builder()
            .table_name("ledger")
            .item("pk", AttributeValue::S(pk.to_owned()));
        TransactWriteItem::builder()
            .put(put.build().unwrap())
            .build()
    };
    let write = || {
        client
            .transact_write_items()
            .transact_items(put("a"))
            .transact_items(put("b"))
    };
    let error = write().send().await.unwrap_err().into_service_error();
    let TransactWriteItemsError::TransactionCanceledException(canceled) = error else {
        panic!("{error:?}")
    };

    let reasons: Vec<_> = canceled
        .cancellation_reasons()
        .iter()
        .map(|reason| (reason.code(), reason.message()))
        .collect();
    assert_eq!(
        reasons,
        [
            (
                Some("TransactionConflict"),
                Some("Transaction is ongoing for the item")
            ),
            (Some("None"), None)
        ]
    );
    assert_eq!(
        (
            invocation.made(),
            world.aws().dynamodb.items("ledger").len()
        ),
        (1, 0)
    );

    write().send().await.unwrap();
    assert_eq!(world.aws().dynamodb.items("ledger").len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_read_does_not_conflict() {
    let world = world();
    let (client, invocation) = ledger(&world, gets(100, Trouble::Conflict));
    let key = AttributeValue::S("service".to_owned());

    assert_eq!(
        client
            .get_item()
            .table_name("ledger")
            .key("pk", key)
            .send()
            .await
            .unwrap()
            .item,
        None
    );
    assert_eq!(invocation.met(), []);
}

#[tokio::test(start_paused = true)]
async fn what_does_not_reach_a_service_is_not_in_its_log() {
    for (trouble, error) in [
        (Trouble::Silence { effect: false }, None),
        (Trouble::Silence { effect: true }, Some(None)),
        (
            Trouble::Page {
                status: 502,
                effect: false,
            },
            None,
        ),
        (Trouble::Refused, None),
        (Trouble::Reset, Some(None)),
        (Trouble::InternalError { effect: true }, Some(None)),
        (
            Trouble::InternalError { effect: false },
            Some(Some("InternalServerError")),
        ),
        (
            Trouble::Conflict,
            Some(Some("TransactionConflictException")),
        ),
    ] {
        let world = world();
        let (client, _) = ledger(&world, gets(100, trouble));
        count(&client).send().await.unwrap_err();
        let aws = world.aws();
        assert_eq!(
            aws.calls.first().map(|call| call.error.as_deref()),
            error,
            "{trouble:?}"
        );
    }
}
