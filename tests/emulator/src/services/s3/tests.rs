mod refusals;

use crate::{Aws, Request, Response};

fn world() -> Aws {
    let mut aws = Aws::new(1);
    aws.s3.create_bucket("plain", false);
    aws.s3.create_bucket("kept", true);
    aws
}

fn send(
    aws: &mut Aws,
    method: &str,
    host: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Response {
    let mut all = vec![(
        "authorization".to_owned(),
        "AWS4-HMAC-SHA256 Credential=AKIA/20260105/eu-west-1/s3/aws4_request, x".to_owned(),
    )];
    all.extend(
        headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
    );
    let request = Request {
        caller: "operator".to_owned(),
        method: method.to_owned(),
        host: host.to_owned(),
        path_and_query: path.to_owned(),
        headers: all,
        body: body.to_vec(),
    };
    aws.call(&request)
}

fn header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    response
        .headers
        .iter()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.as_str())
}

fn text(response: &Response) -> String {
    String::from_utf8(response.body.clone()).unwrap()
}

#[test]
fn a_versioned_bucket_keeps_what_was_overwritten() {
    let mut aws = world();
    let first = aws
        .s3
        .put("kept", "config.zip", b"one".to_vec())
        .unwrap()
        .unwrap();
    let second = aws
        .s3
        .put("kept", "config.zip", b"two".to_vec())
        .unwrap()
        .unwrap();

    assert_ne!(first, second);
    assert_eq!(aws.s3.get("kept", "config.zip", None).unwrap(), b"two");
    assert_eq!(
        aws.s3.get("kept", "config.zip", Some(&first)).unwrap(),
        b"one"
    );
    assert_eq!(
        aws.s3
            .get("kept", "config.zip", Some("other"))
            .unwrap_err()
            .code,
        "NoSuchVersion"
    );
    assert_eq!(aws.s3.put("plain", "a", vec![]).unwrap(), None);
    assert_eq!(
        aws.s3.get("plain", "b", None).unwrap_err().code,
        "NoSuchKey"
    );
    assert_eq!(
        aws.s3.get("none", "b", None).unwrap_err().code,
        "NoSuchBucket"
    );
}

#[test]
fn both_styles_of_address_mean_the_same_object() {
    let mut aws = world();
    let put = send(
        &mut aws,
        "PUT",
        "s3.eu-west-1.amazonaws.com",
        "/kept/a/b%20c.json?x-id=PutObject",
        &[],
        b"hello",
    );

    assert_eq!(put.status, 200);

    let version = header(&put, "x-amz-version-id").unwrap().to_owned();
    let got = send(
        &mut aws,
        "GET",
        "kept.s3.eu-west-1.amazonaws.com",
        &format!("/a/b%20c.json?versionId={version}"),
        &[],
        b"",
    );
    assert_eq!((got.status, text(&got).as_str()), (200, "hello"));
    assert_eq!(header(&got, "etag"), header(&put, "etag"));
    assert_eq!(
        header(&got, "last-modified"),
        Some("Mon, 05 Jan 2026 09:00:00 GMT")
    );
    assert_eq!(
        aws.calls
            .iter()
            .map(|call| call.operation.as_str())
            .collect::<Vec<_>>(),
        ["PutObject", "GetObject"]
    );
}

#[test]
fn errors_are_xml_except_for_head() {
    let mut aws = world();
    let missing = send(&mut aws, "GET", "", "/plain/k", &[], b"");
    assert_eq!(missing.status, 404);
    assert!(text(&missing).contains(
        "<Error><Code>NoSuchKey</Code>\
                 <Message>The specified key does not exist.</Message><Key>k</Key>"
    ));
    assert!(
        text(&send(&mut aws, "PUT", "", "/none/k", &[], b""))
            .contains("<BucketName>none</BucketName>")
    );

    let head = send(&mut aws, "HEAD", "", "/none", &[], b"");
    assert_eq!((head.status, head.body.len()), (501, 0));
}

#[test]
fn other_operations_are_refused_by_name() {
    let mut aws = world();
    aws.s3.put("plain", "k", b"1".to_vec()).unwrap();

    for (method, path, headers) in [
        ("GET", "/plain/k?tagging", &[][..]),
        ("GET", "/plain?list-type=2&delimiter=/", &[]),
        ("GET", "/plain?list-type=1", &[]),
        ("DELETE", "/plain/k", &[]),
        ("PUT", "/plain/k", &[("x-amz-copy-source", "kept/k")]),
        ("PUT", "/plain/k", &[("if-none-match", "*")]),
        ("GET", "/plain/k", &[("range", "bytes=0-0")]),
    ] {
        let refused = send(&mut aws, method, "", path, headers, b"2");
        assert_eq!(refused.status, 501, "{method} {path}");
        assert!(text(&refused).contains("NotImplemented"));
    }
    assert_eq!(aws.s3.get("plain", "k", None).unwrap(), b"1");

    let call = &aws.calls[0];
    assert_eq!(
        (call.operation.as_str(), call.error.as_deref()),
        ("GET /plain/k?tagging", Some("NotImplemented"))
    );
}

#[test]
fn chunked_bodies_are_decoded() {
    let mut aws = world();
    let body = b"5\r\nhello\r\n6;chunk-signature=ab\r\n world\r\n\
                 0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n";
    let put = send(
        &mut aws,
        "PUT",
        "",
        "/plain/k",
        &[("content-encoding", "aws-chunked")],
        body,
    );

    assert_eq!(
        (put.status, aws.s3.get("plain", "k", None).unwrap()),
        (200, &b"hello world"[..])
    );

    let cut = send(
        &mut aws,
        "PUT",
        "",
        "/plain/k",
        &[("content-encoding", "aws-chunked")],
        b"5\r\nhel",
    );
    assert!(cut.status == 400 && text(&cut).contains("IncompleteBody"));
}

#[test]
fn presigned_urls_of_both_versions_are_accepted() {
    let mut aws = world();
    aws.s3.put("plain", "k", b"1".to_vec()).unwrap();
    let queries = [
        "AWSAccessKeyId=A&Signature=x&Expires=1",
        "X-Amz-Credential=A%2F20260105%2Feu-west-1%2Fs3%2Faws4_request",
        "",
    ];
    let status = queries.map(|query| {
        let request = Request {
            caller: "operator".to_owned(),
            method: "GET".to_owned(),
            path_and_query: format!("/plain/k?{query}"),
            ..Request::default()
        };
        aws.call(&request).status
    });

    assert_eq!(status, [200, 200, 403]);
}

#[test]
fn a_head_has_the_headers_of_the_object_and_no_body() {
    let mut aws = world();
    aws.s3.put("plain", "k", b"hello".to_vec()).unwrap();
    let got = send(&mut aws, "GET", "", "/plain/k", &[], b"");
    let head = send(&mut aws, "HEAD", "", "/plain/k", &[], b"");
    assert_eq!((head.status, head.body.len()), (200, 0));
    for name in ["etag", "content-length", "last-modified"] {
        assert_eq!(header(&head, name), header(&got, name));
    }

    let missing = send(&mut aws, "HEAD", "", "/plain/none", &[], b"");
    assert_eq!((missing.status, missing.body.len()), (404, 0));
    assert_eq!(aws.calls[1].operation, "HeadObject");
}

#[test]
fn keys_are_listed_by_prefix_and_in_pages() {
    let mut aws = world();
    for key in ["a/1", "a/2", "a/b c", "b"] {
        aws.s3.put("plain", key, b"hello".to_vec()).unwrap();
    }
    let mut list = |query: &str| {
        let path = format!("/plain?list-type=2&{query}");
        let listed = send(&mut aws, "GET", "", &path, &[], b"");
        assert_eq!(listed.status, 200);
        text(&listed)
    };

    let first = list("prefix=a/&max-keys=2");
    assert!(first.contains("<KeyCount>2</KeyCount>") && first.contains("<Key>a/1</Key>"));
    assert!(first.contains("<IsTruncated>true</IsTruncated>"));
    assert!(first.contains("<NextContinuationToken>a/2</NextContinuationToken>"));
    assert!(first.contains("<Size>5</Size>"));

    let rest = list("prefix=a/&continuation-token=a/2&encoding-type=url");
    assert!(rest.contains("<KeyCount>1</KeyCount>") && rest.contains("<Key>a/b%20c</Key>"));
    assert!(rest.contains("<IsTruncated>false</IsTruncated>"));
}

#[test]
fn a_bucket_has_a_location_and_a_default_encryption() {
    let mut aws = world();
    let mut get = |path: &str| text(&send(&mut aws, "GET", "", path, &[], b""));
    assert!(get("/plain?location").contains(">eu-west-1</LocationConstraint>"));
    assert!(get("/plain?encryption").contains("<SSEAlgorithm>AES256</SSEAlgorithm>"));
    assert!(get("/none?location").contains("<Code>NoSuchBucket</Code>"));

    let operations: Vec<&str> = aws.calls.iter().map(|it| it.operation.as_str()).collect();
    assert_eq!(
        operations,
        [
            "GetBucketLocation",
            "GetBucketEncryption",
            "GetBucketLocation"
        ]
    );
}

/// The response of S3 to a request with a body of XML or none.
fn answered(aws: &mut Aws, method: &str, path: &str, body: &str) -> (u16, String) {
    let response = send(aws, method, "", path, &[], body.as_bytes());
    (response.status, text(&response))
}

#[test]
fn versions_are_listed_newest_first_and_in_pages() {
    let mut aws = world();
    let put = |aws: &mut Aws, key: &str| aws.s3.put("kept", key, vec![1]).unwrap().unwrap();
    let (old, new, other) = (
        put(&mut aws, "a b"),
        put(&mut aws, "a b"),
        put(&mut aws, "c"),
    );
    let (_, all) = answered(&mut aws, "GET", "/kept?versions", "");
    let at = |id: &str| all.find(&format!("<VersionId>{id}</VersionId>")).unwrap();
    assert!(at(&new) < at(&old) && at(&old) < at(&other), "{all}");
    assert!(all.contains("<IsTruncated>false</IsTruncated>"), "{all}");
    assert_eq!(all.matches("<IsLatest>true</IsLatest>").count(), 2);

    let first = "/kept?versions&max-keys=1&encoding-type=url";
    let (_, page) = answered(&mut aws, "GET", first, "");
    assert!(
        page.contains("<NextKeyMarker>a%20b</NextKeyMarker>"),
        "{page}"
    );
    let next = format!("/kept?versions&key-marker=a%20b&version-id-marker={new}");
    let (_, rest) = answered(&mut aws, "GET", &next, "");
    let lists = |id: &str| rest.contains(&format!("<VersionId>{id}</VersionId>"));
    assert!(lists(&old) && lists(&other) && !lists(&new), "{rest}");
    let (_, after) = answered(&mut aws, "GET", "/kept?versions&key-marker=a%20b", "");
    assert!(after.contains(&other) && !after.contains(&old), "{after}");
}

#[test]
fn an_emptied_bucket_can_be_deleted() {
    let mut aws = world();
    let version = aws.s3.put("kept", "a&b", vec![1]).unwrap().unwrap();
    let (status, refused) = answered(&mut aws, "DELETE", "/kept", "");
    assert!(
        status == 409 && refused.contains("BucketNotEmpty"),
        "{refused}"
    );

    let one = |key: &str, version: &str| {
        format!("<Delete><Object><Key>{key}</Key>{version}</Object></Delete>")
    };
    let (_, marker) = answered(&mut aws, "POST", "/kept?delete", &one("a&amp;b", ""));
    assert!(
        marker.contains("<Error><Key>a&amp;b</Key><Code>NotImplemented"),
        "{marker}"
    );
    let id = format!("<VersionId>{version}</VersionId>");
    for _ in 0..2 {
        let (status, gone) = answered(&mut aws, "POST", "/kept?delete", &one("a&amp;b", &id));
        assert_eq!(status, 200);
        assert!(
            gone.contains(&format!("<Deleted><Key>a&amp;b</Key>{id}")),
            "{gone}"
        );
    }
    assert_eq!(
        answered(&mut aws, "POST", "/kept?delete", "<Delete/>").0,
        400
    );

    assert_eq!(
        answered(&mut aws, "DELETE", "/kept", ""),
        (204, String::new())
    );
    assert_eq!(answered(&mut aws, "DELETE", "/kept", "").0, 404);
}
