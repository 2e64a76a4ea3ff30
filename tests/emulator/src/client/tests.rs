use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::json;
use tokio::time::Instant;

use super::*;
use crate::ecr::{self, Behaviour};
use crate::{Millis, dynamodb};

mod answers;
mod s3;

/// A world with a table, a bucket and a repository.
fn world() -> World {
    let mut aws = Aws::new(42);
    let table = json!({
        "TableName": "ledger",
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "BillingMode": "PAY_PER_REQUEST",
    });
    dynamodb::call(&mut aws, "CreateTable", &table).unwrap();
    ecr::call(
        &mut aws,
        "CreateRepository",
        &json!({ "repositoryName": "web" }),
    )
    .unwrap();
    aws.s3.create_bucket("artifacts", true);
    World::new(aws)
}

fn ledger(world: &World, plan: CallFault) -> (aws_sdk_dynamodb::Client, Arc<Invocation>) {
    let invocation = Invocation::new("operator", plan);
    (
        aws_sdk_dynamodb::Client::new(&sdk_config(world, invocation.clone())),
        invocation,
    )
}

fn count(
    client: &aws_sdk_dynamodb::Client,
) -> aws_sdk_dynamodb::operation::put_item::builders::PutItemFluentBuilder {
    client
        .put_item()
        .table_name("ledger")
        .item("pk", AttributeValue::S("service".to_owned()))
}

/// How many of these writes took effect, if the item is there.
fn fence(world: &World) -> Option<String> {
    let aws = world.aws();
    let written = aws
        .calls
        .iter()
        .filter(|call| call.operation == "PutItem" && call.error.is_none())
        .count();

    assert_eq!(aws.dynamodb.items("ledger").len(), written.min(1));

    (written > 0).then(|| written.to_string())
}

#[tokio::test(start_paused = true)]
async fn dynamodb_through_the_sdk() {
    let world = world();
    let (client, invocation) = ledger(&world, CallFault::None);
    count(&client).send().await.unwrap();
    let got = client
        .get_item()
        .table_name("ledger")
        .key("pk", AttributeValue::S("service".to_owned()))
        .send()
        .await
        .unwrap();

    assert_eq!(
        got.item.unwrap()["pk"],
        AttributeValue::S("service".to_owned())
    );

    let refused = count(&client)
        .condition_expression("attribute_not_exists(pk)")
        .send()
        .await
        .unwrap_err()
        .into_service_error();
    let aws_sdk_dynamodb::operation::put_item::PutItemError::ConditionalCheckFailedException(
        refused,
    ) = refused
    else {
        panic!("{refused:?}")
    };
    assert_eq!(refused.message(), Some("The conditional request failed"));
    assert_eq!(invocation.made(), 3);

    let aws = world.aws();
    let third = &aws.calls[2];
    assert_eq!(
        (third.caller.as_str(), third.operation.as_str()),
        ("operator", "PutItem")
    );
    assert_eq!(
        third.error.as_deref(),
        Some("ConditionalCheckFailedException")
    );
}

#[tokio::test(start_paused = true)]
async fn transactions_through_the_sdk_return_why_they_failed() {
    let world = world();
    let (client, _) = ledger(&world, CallFault::None);
    let put = aws_sdk_dynamodb::types::Put::builder()
        .table_name("ledger")
        .item("pk", AttributeValue::S("service".to_owned()))
        .condition_expression("attribute_exists(pk)")
        .build()
        .unwrap();
    let item = aws_sdk_dynamodb::types::TransactWriteItem::builder()
        .put(put)
        .build();
    let error = client
        .transact_write_items()
        .transact_items(item)
        .send()
        .await
        .unwrap_err()
        .into_service_error();
    let TransactWriteItemsError::TransactionCanceledException(canceled) = error else {
        panic!("{error:?}")
    };

    assert_eq!(
        canceled.cancellation_reasons()[0].code(),
        Some("ConditionalCheckFailed")
    );
    assert!(
        canceled
            .message()
            .unwrap()
            .ends_with("[ConditionalCheckFailed]")
    );
}

#[tokio::test(start_paused = true)]
async fn ecr_through_the_sdk() {
    let world = world();
    let digest = ecr::push(&mut world.aws(), "web", "v1", Behaviour::Healthy).unwrap();
    let client = aws_sdk_ecr::Client::new(&sdk_config(
        &world,
        Invocation::new("operator", CallFault::None),
    ));
    let image = |tag: &str| {
        aws_sdk_ecr::types::ImageIdentifier::builder()
            .image_tag(tag)
            .build()
    };
    let found = client
        .describe_images()
        .repository_name("web")
        .image_ids(image("v1"))
        .send()
        .await
        .unwrap();

    assert_eq!(
        found.image_details()[0].image_digest(),
        Some(digest.as_str())
    );

    let missing = client
        .describe_images()
        .repository_name("web")
        .image_ids(image("v2"))
        .send()
        .await
        .unwrap_err();
    assert!(missing.into_service_error().is_image_not_found_exception());
}

#[tokio::test(start_paused = true)]
async fn calls_take_virtual_time() {
    let world = world();
    let (client, _) = ledger(&world, CallFault::None);
    let start = world.clock.now();
    count(&client).send().await.unwrap();
    let took = world.clock.now() - start;

    assert!((5..=61).contains(&took), "{took}");

    tokio::time::sleep(Duration::from_secs(1800)).await;
    assert_eq!(world.aws().now, start + took + 1_800_000);
}

#[tokio::test(start_paused = true)]
async fn a_crash_after_a_call_lets_it_take_effect() {
    for (plan, kept) in [
        (CallFault::CrashAfter(2), Some("2")),
        (CallFault::CrashBefore(2), Some("1")),
        (CallFault::CrashBefore(1), None),
    ] {
        let world = world();
        let (client, invocation) = ledger(&world, plan);
        tokio::select! {
            () = invocation.crashed() => {}
            () = async { for _ in 0..3 { count(&client).send().await.unwrap(); } } => {
                panic!("it did not crash")
            }
        }
        assert_eq!(fence(&world).as_deref(), kept, "{plan:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_makes_the_sdk_repeat_what_took_effect() {
    let world = world();
    let (client, invocation) = ledger(&world, CallFault::TimeoutAfterEffect(1));
    count(&client).send().await.unwrap();
    assert_eq!(
        (invocation.made(), fence(&world).as_deref()),
        (2, Some("2"))
    );
}

#[tokio::test(start_paused = true)]
async fn throttled_calls_have_no_effect_and_are_retried() {
    let world = world();
    let (client, invocation) = ledger(&world, CallFault::ThrottleFrom(1, 2));
    count(&client).send().await.unwrap();

    assert_eq!(
        (invocation.made(), fence(&world).as_deref()),
        (3, Some("1"))
    );

    let (client, _) = ledger(&world, CallFault::ThrottleFrom(1, 100));
    let error = count(&client)
        .send()
        .await
        .unwrap_err()
        .into_service_error();
    assert_eq!(error.meta().code(), Some("ThrottlingException"));
}

#[tokio::test(start_paused = true)]
async fn an_invocation_that_hangs_goes_on_where_it_was() {
    let hour = Duration::from_secs(3600);
    for (hang, took) in [
        (Hang::For(hour), hour),
        (
            Hang::UntilLeft(Duration::from_secs(600)),
            hour - Duration::from_secs(600),
        ),
    ] {
        let world = world();
        let start = world.clock.now();
        let (client, invocation) = ledger(&world, CallFault::HangAfter(1, hang));
        let twice = async {
            count(&client).send().await.unwrap();
            let answered = world.clock.now();
            count(&client).send().await.unwrap();
            answered
        };
        let answered = invocation.run(hour, twice).await;
        assert!(
            answered - start >= took.as_millis() as Millis,
            "{hang:?} took {} ms",
            answered - start
        );
        // No time-out of the SDK fired, so no call was repeated.
        assert_eq!(
            (invocation.made(), fence(&world).as_deref()),
            (2, Some("2"))
        );
        assert_eq!(invocation.met(), [CallFault::HangAfter(1, hang)]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_can_throttle_for_a_while() {
    let world = world();
    let (from, until) = (world.clock.now(), world.clock.now() + 100);
    let world = world.throttled(vec![Throttle {
        service: "dynamodb",
        from,
        until,
    }]);
    let (client, invocation) = ledger(&world, CallFault::None);

    count(&client).send().await.unwrap();
    assert!(
        invocation.made() > 1 && world.clock.now() >= until,
        "{} calls",
        invocation.made()
    );
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_gives_the_same_calls() {
    let mut calls = Vec::new();
    for _ in 0..2 {
        let world = world();
        let (client, _) = ledger(&world, CallFault::ThrottleFrom(2, 2));
        count(&client).send().await.unwrap();
        count(&client).send().await.unwrap();
        let aws = world.aws();
        calls.push(aws.calls.to_vec());
    }

    assert_eq!(calls[0], calls[1]);
}

#[tokio::test(start_paused = true)]
async fn a_clock_can_go_faster_than_the_runtime() {
    let clock = VirtualClock::at_speed(1000, 60);
    clock.sleep(Duration::from_secs(120)).await;
    assert_eq!(clock.now(), 1000 + 120_000);
    let before = Instant::now();
    clock.sleep(Duration::from_secs(60)).await;
    assert_eq!(before.elapsed(), Duration::from_secs(1));
}
