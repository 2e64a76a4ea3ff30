//! S3 through the SDK.

use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;

use crate::client::*;

use super::world;

#[tokio::test(start_paused = true)]
async fn s3_through_the_sdk() {
    let world = world();
    let client = aws_sdk_s3::Client::new(&sdk_config(
        &world,
        Invocation::new("operator", CallFault::None),
    ));
    let put = client
        .put_object()
        .bucket("artifacts")
        .key("a/b c.zip")
        .body(ByteStream::from_static(b"hello"))
        .send()
        .await
        .unwrap();

    assert_eq!(
        world
            .aws()
            .s3
            .get("artifacts", "a/b c.zip", put.version_id())
            .unwrap(),
        b"hello"
    );

    let got = client
        .get_object()
        .bucket("artifacts")
        .key("a/b c.zip")
        .send()
        .await
        .unwrap();
    assert_eq!(
        (got.version_id(), got.e_tag(), got.content_length()),
        (put.version_id(), put.e_tag(), Some(5))
    );
    assert_eq!(got.body.collect().await.unwrap().to_vec(), b"hello");

    let missing = client
        .get_object()
        .bucket("artifacts")
        .key("none")
        .send()
        .await
        .unwrap_err()
        .into_service_error();
    assert!(missing.is_no_such_key(), "{missing:?}");
}

/// A body of unknown beginnings is sent as `aws-chunked`, with its checksum behind it.
#[tokio::test(start_paused = true)]
async fn s3_streams_through_the_sdk() {
    let world = world();
    let client = aws_sdk_s3::Client::new(&sdk_config(
        &world,
        Invocation::new("operator", CallFault::None),
    ));
    let stream = ByteStream::new(SdkBody::retryable(|| {
        SdkBody::from_body_1_x(SdkBody::from("streamed"))
    }));
    client
        .put_object()
        .bucket("artifacts")
        .key("k")
        .content_length(8)
        .body(stream)
        .send()
        .await
        .unwrap();

    assert_eq!(
        world.aws().s3.get("artifacts", "k", None).unwrap(),
        b"streamed"
    );
}
