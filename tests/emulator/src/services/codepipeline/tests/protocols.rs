use minicbor::Encoder;

use super::*;
use crate::protocol::cbor;
use crate::{Request, Response};

/// What the service answers to an operation in CBOR, with an input that was encoded.
fn answer(aws: &mut Aws, operation: &str, body: Vec<u8>) -> Response {
    let scope = "Credential=AKIA/20260105/eu-west-1/codepipeline/aws4_request";
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    aws.call(&Request {
        caller: "operator".to_owned(),
        method: "POST".to_owned(),
        path_and_query: format!("/service/CodePipeline_20150709/operation/{operation}"),
        headers: vec![
            header("authorization", &format!("AWS4-HMAC-SHA256 {scope}")),
            header("smithy-protocol", "rpc-v2-cbor"),
            header("content-type", "application/cbor"),
        ],
        body,
        ..Request::default()
    })
}

/// The input `{"name": name}`.
fn named(name: &str) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::new());
    encoder.map(1).unwrap();
    encoder.str("name").unwrap().str(name).unwrap();
    encoder.into_writer()
}

fn decoded(response: &Response) -> Value {
    let read = Request {
        body: response.body.clone(),
        ..Request::default()
    };
    cbor::input(&read).unwrap()
}

#[test]
fn cbor_has_the_same_answers_as_json_with_times_that_are_tagged() {
    let mut aws = with_pipeline(vec![step("Go", 1, "{}")]);
    let in_json = call(&mut aws, "GetPipeline", &json!({"name": PIPELINE})).unwrap();

    let response = answer(&mut aws, "GetPipeline", named(PIPELINE));
    let text = |name: &str| response.headers.iter().find(|(key, _)| key == name);
    let header = |name: &str| text(name).map(|(_, value)| value.as_str());
    assert_eq!(
        (response.status, header("smithy-protocol")),
        (200, Some("rpc-v2-cbor"))
    );
    assert_eq!(decoded(&response), in_json);

    // A text of 7 bytes, and a floating-point number with the tag of times.
    let created = b"\x67created\xc1\xfb";
    let is_tagged = response
        .body
        .windows(created.len())
        .any(|bytes| bytes == created);
    assert!(is_tagged, "{:?}", response.body);
}

#[test]
fn cbor_errors_have_their_shape_and_no_code_of_the_query_protocol() {
    let mut aws = account(3);
    let response = answer(&mut aws, "GetPipeline", named("none"));
    assert_eq!(response.status, 400);
    assert_eq!(
        decoded(&response),
        json!({
            "__type": "com.amazonaws.codepipeline#PipelineNotFoundException",
            "message": "Account '111122223333' does not have a pipeline with name 'none'",
        })
    );
    let query = "x-amzn-query-error";
    assert!(response.headers.iter().all(|(name, _)| name != query));
}
