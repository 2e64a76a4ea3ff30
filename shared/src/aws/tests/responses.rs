//! Responses to CloudFormation: put to the URL of their requests, unsigned, and again if need be.

use serde_json::json;

use super::script::{Answer, Script, response, run, s3_refusal};
use crate::aws::{AwsError, ErrorKind, Responses};
use crate::events::ResponseUrl;
use crate::limits::{CALL_ATTEMPT, CALL_ATTEMPTS};

const URL: &str = "https://responses.s3.eu-west-1.amazonaws.com/stack%2F1%7CTaskRoles%7Cr\
                   ?X-Amz-Expires=7199&X-Amz-Signature=5ec2e7";

fn put(script: &Script, url: &str) -> Result<(), AwsError> {
    let url: ResponseUrl = serde_json::from_value(json!(url)).expect("a text");
    run(Responses::new(&script.sdk()).put(&url, "{\"Status\":\"SUCCESS\"}"))
}

fn refused(script: &Script, url: &str) -> AwsError {
    let error = put(script, url).expect_err("not put");
    assert!(!format!("{error} {error:?}").contains("5ec2e7"), "{error}");
    error
}

#[test]
fn a_response_is_put_to_the_url_as_it_is_with_no_other_signature() {
    let script = Script::new([response(200, "", "")]);
    put(&script, URL).expect("put");

    let sent = script.only();
    assert_eq!((sent.method.as_str(), sent.uri.as_str()), ("PUT", URL));
    assert_eq!(sent.text(), "{\"Status\":\"SUCCESS\"}");
    assert_eq!(sent.header("content-length"), Some("20"));
    for absent in ["authorization", "content-type", "x-amz-date"] {
        assert_eq!(sent.header(absent), None, "{absent}");
    }
}

#[test]
fn a_response_that_does_not_arrive_is_put_again() {
    for trouble in [
        Answer::Silence,
        Answer::Refused,
        s3_refusal(503, "SlowDown"),
    ] {
        let script = Script::new([trouble, response(200, "", "")]);
        put(&script, URL).expect("put by the second attempt");
        assert_eq!(script.sent()[1].text(), "{\"Status\":\"SUCCESS\"}");
        assert!(script.waits().contains(&CALL_ATTEMPT));
    }

    let script = Script::always(s3_refusal(503, "SlowDown"));
    assert_eq!(refused(&script, URL).kind, ErrorKind::Busy);
    assert_eq!(script.sent().len(), CALL_ATTEMPTS as usize);
}

#[test]
fn a_url_that_does_not_take_the_response_is_not_shown() {
    let script = Script::new([s3_refusal(403, "AccessDenied")]);
    let error = refused(&script, URL);
    assert_eq!(
        (error.kind, error.code.as_str()),
        (ErrorKind::Rejected, "403")
    );

    let script = Script::new([]);
    let error = refused(&script, "https://responses?X-Amz-Signature=5ec2e7");
    assert_eq!(error.kind, ErrorKind::Unexpected);
}
