//! What S3 refuses, and how.

use super::{answered, send, text, world};

#[test]
fn refusals_have_the_words_and_the_members_of_s3() {
    let mut aws = world();
    aws.s3.put("plain", "k", b"hello".to_vec()).unwrap();
    for (method, path, status, part) in [
        (
            "GET",
            "/kept/k?versionId=v1",
            404,
            "<Key>k</Key><VersionId>v1</VersionId>",
        ),
        (
            "DELETE",
            "/plain",
            409,
            "<Message>The bucket you tried to delete is not empty</Message>\
             <BucketName>plain</BucketName>",
        ),
        (
            "GET",
            "/plain?list-type=2&continuation-token=",
            400,
            "<Message>The continuation token provided is incorrect</Message>\
             <ArgumentName>continuation-token</ArgumentName>",
        ),
        (
            "GET",
            "/plain?list-type=2&encoding-type=value",
            400,
            "<ArgumentName>encoding-type</ArgumentName><ArgumentValue>value</ArgumentValue>",
        ),
        (
            "GET",
            "/kept?versions&version-id-marker=v1",
            400,
            "A version-id marker cannot be specified without a key marker.",
        ),
    ] {
        let (found, body) = answered(&mut aws, method, path, "");
        assert_eq!(found, status, "{path}");
        assert!(body.contains(part), "{path}: {body}");
    }
}

#[test]
fn an_object_is_only_sent_on_the_conditions_of_the_request() {
    let mut aws = world();
    aws.s3.put("plain", "k", b"hello".to_vec()).unwrap();
    let mut get = |name: &str, value: &str| {
        let response = send(&mut aws, "GET", "", "/plain/k", &[(name, value)], b"");
        (response.status, text(&response))
    };
    assert_eq!(get("if-match", "*"), (200, "hello".to_owned()));
    let (status, body) = get("if-match", "\"other\"");
    assert_eq!(status, 412);
    assert!(body.contains("<Code>PreconditionFailed</Code>"), "{body}");
    assert!(body.contains("<Condition>If-Match</Condition>"), "{body}");
    assert_eq!(get("if-none-match", "*"), (304, String::new()));
    assert_eq!(get("if-none-match", "other").0, 200);
    assert_eq!(
        get("if-modified-since", "Mon, 05 Jan 2026 09:00:00 GMT").0,
        501
    );
}
