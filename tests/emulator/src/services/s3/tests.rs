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
        caller: "person".to_owned(),
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
        &[("x-amz-meta-by", "me")],
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
    assert_eq!(
        (header(&got, "etag"), header(&got, "x-amz-meta-by")),
        (header(&put, "etag"), Some("me"))
    );
    assert_eq!(
        header(&got, "last-modified"),
        Some("Mon, 05 Jan 2026 09:00:00 GMT")
    );
    let head = send(
        &mut aws,
        "HEAD",
        "kept.s3.eu-west-1.amazonaws.com",
        "/a/b%20c.json",
        &[],
        b"",
    );
    assert_eq!(
        (header(&head, "content-length"), head.body.len()),
        (Some("5"), 0)
    );
    assert_eq!(
        aws.calls
            .iter()
            .map(|call| call.operation.as_str())
            .collect::<Vec<_>>(),
        ["PutObject", "GetObject", "HeadObject"]
    );
}

#[test]
fn ranges_answer_a_part() {
    let mut aws = world();
    aws.s3.put("plain", "k", b"0123456789".to_vec()).unwrap();
    for (range, part, status) in [
        ("bytes=2-4", "234", 206),
        ("bytes=8-", "89", 206),
        ("bytes=-3", "789", 206),
        ("lines=1-2", "0123456789", 200),
    ] {
        let got = send(&mut aws, "GET", "", "/plain/k", &[("range", range)], b"");
        assert_eq!((got.status, text(&got).as_str()), (status, part), "{range}");
    }
    let beyond = send(
        &mut aws,
        "GET",
        "",
        "/plain/k",
        &[("range", "bytes=10-")],
        b"",
    );
    assert_eq!(beyond.status, 416);
}

#[test]
fn errors_are_xml_except_for_head() {
    let mut aws = world();
    let missing = send(&mut aws, "GET", "", "/plain/k", &[], b"");
    assert_eq!(missing.status, 404);
    assert!(
        text(&missing)
            .contains("<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message><Key>k</Key>")
    );
    assert!(
        text(&send(&mut aws, "PUT", "", "/none/k", &[], b""))
            .contains("<BucketName>none</BucketName>")
    );
    let head = send(&mut aws, "HEAD", "", "/none", &[], b"");
    assert_eq!((head.status, head.body.len()), (404, 0));
    assert_eq!(send(&mut aws, "HEAD", "", "/plain", &[], b"").status, 200);
    assert_eq!(
        send(&mut aws, "GET", "", "/plain/k?tagging", &[], b"").status,
        501
    );
}

#[test]
fn conditional_puts_do_not_overwrite() {
    let mut aws = world();
    assert_eq!(
        send(
            &mut aws,
            "PUT",
            "",
            "/plain/k",
            &[("if-none-match", "*")],
            b"1"
        )
        .status,
        200
    );
    assert_eq!(
        send(
            &mut aws,
            "PUT",
            "",
            "/plain/k",
            &[("if-none-match", "*")],
            b"2"
        )
        .status,
        412
    );
    assert_eq!(aws.s3.get("plain", "k", None).unwrap(), b"1");
}

#[test]
fn chunked_bodies_are_decoded() {
    let mut aws = world();
    let body = b"5\r\nhello\r\n6;chunk-signature=ab\r\n world\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n";
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
fn lists_come_in_pages_and_by_prefix() {
    let mut aws = world();
    for key in ["a/1", "a/2", "b", "c/1"] {
        aws.s3.put("plain", key, vec![1]).unwrap();
    }
    let all = text(&send(
        &mut aws,
        "GET",
        "",
        "/plain?list-type=2&delimiter=%2F",
        &[],
        b"",
    ));
    assert!(
        all.contains("<KeyCount>3</KeyCount>") && all.contains("<Key>b</Key>"),
        "{all}"
    );
    for prefix in ["a/", "c/"] {
        assert!(
            all.contains(&format!(
                "<CommonPrefixes><Prefix>{prefix}</Prefix></CommonPrefixes>"
            )),
            "{all}"
        );
    }
    let first = text(&send(
        &mut aws,
        "GET",
        "",
        "/plain?list-type=2&max-keys=1&delimiter=/",
        &[],
        b"",
    ));
    assert!(
        first.contains(
            "<IsTruncated>true</IsTruncated><NextContinuationToken>a/2</NextContinuationToken>"
        ),
        "{first}"
    );
    let second = text(&send(
        &mut aws,
        "GET",
        "",
        "/plain?list-type=2&max-keys=1&delimiter=/&continuation-token=a%2F2",
        &[],
        b"",
    ));
    assert!(
        second.contains("<Key>b</Key>") && !second.contains("<CommonPrefixes>"),
        "{second}"
    );
    let prefix = text(&send(
        &mut aws,
        "GET",
        "",
        "/plain?list-type=2&prefix=a/",
        &[],
        b"",
    ));
    assert!(
        prefix.contains("<KeyCount>2</KeyCount>")
            && prefix.contains("<IsTruncated>false</IsTruncated>")
    );
}

#[test]
fn buckets_are_made_listed_and_removed_when_empty() {
    let mut aws = world();
    assert_eq!(send(&mut aws, "PUT", "", "/made", &[], b"").status, 200);
    assert!(
        text(&send(&mut aws, "PUT", "", "/made", &[], b"")).contains("BucketAlreadyOwnedByYou")
    );
    assert!(text(&send(&mut aws, "GET", "", "/", &[], b"")).contains("<Name>made</Name>"));
    send(&mut aws, "PUT", "made.localhost:4566", "/k", &[], b"1");
    assert_eq!(send(&mut aws, "DELETE", "", "/made", &[], b"").status, 409);
    assert_eq!(
        send(&mut aws, "DELETE", "", "/made/k", &[], b"").status,
        204
    );
    assert_eq!(send(&mut aws, "DELETE", "", "/made", &[], b"").status, 204);
    assert_eq!(send(&mut aws, "HEAD", "", "/made", &[], b"").status, 404);
}

#[test]
fn a_delete_marker_hides_the_versions() {
    let mut aws = world();
    let version = aws.s3.put("kept", "k", b"1".to_vec()).unwrap().unwrap();
    let deleted = send(&mut aws, "DELETE", "", "/kept/k", &[], b"");
    assert_eq!(header(&deleted, "x-amz-delete-marker"), Some("true"));
    assert_eq!(aws.s3.get("kept", "k", None).unwrap_err().code, "NoSuchKey");
    assert!(
        text(&send(&mut aws, "GET", "", "/kept?list-type=2", &[], b""))
            .contains("<KeyCount>0</KeyCount>")
    );
    assert_eq!(aws.s3.get("kept", "k", Some(&version)).unwrap(), b"1");
    let marker = header(&deleted, "x-amz-version-id").unwrap();
    send(
        &mut aws,
        "DELETE",
        "",
        &format!("/kept/k?versionId={marker}"),
        &[],
        b"",
    );
    assert_eq!(aws.s3.get("kept", "k", None).unwrap(), b"1");
}

#[test]
fn many_objects_are_deleted_at_once() {
    let mut aws = world();
    for key in ["a&b", "c"] {
        aws.s3.put("plain", key, vec![1]).unwrap();
    }
    let body = b"<Delete><Object><Key>a&amp;b</Key></Object><Object><Key>c</Key></Object></Delete>";
    let deleted = text(&send(&mut aws, "POST", "", "/plain?delete", &[], body));
    assert!(
        deleted.contains("<Deleted><Key>a&amp;b</Key></Deleted>"),
        "{deleted}"
    );
    assert_eq!(
        aws.s3.get("plain", "a&b", None).unwrap_err().code,
        "NoSuchKey"
    );
    assert!(
        text(&send(
            &mut aws,
            "POST",
            "",
            "/plain?delete",
            &[],
            b"<Delete/>"
        ))
        .contains("MalformedXML")
    );
}

#[test]
fn a_list_says_that_its_keys_are_encoded() {
    let mut aws = world();
    aws.s3.put("plain", "b c", vec![1]).unwrap();
    let listed = text(&send(
        &mut aws,
        "GET",
        "",
        "/plain?list-type=2&encoding-type=url",
        &[],
        b"",
    ));
    assert!(
        listed.contains("<EncodingType>url</EncodingType>") && listed.contains("<Key>b%20c</Key>"),
        "{listed}"
    );
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
            caller: "person".to_owned(),
            method: "GET".to_owned(),
            path_and_query: format!("/plain/k?{query}"),
            ..Request::default()
        };
        aws.call(&request).status
    });
    assert_eq!(status, [200, 200, 403]);
}

#[test]
fn an_object_is_copied_with_what_it_says_of_itself() {
    let mut aws = world();
    send(
        &mut aws,
        "PUT",
        "",
        "/kept/k",
        &[("x-amz-meta-by", "me")],
        b"1",
    );
    let copied = send(
        &mut aws,
        "PUT",
        "",
        "/plain/a",
        &[("x-amz-copy-source", "kept/k")],
        b"",
    );
    assert!(
        text(&copied).contains("<CopyObjectResult"),
        "{}",
        text(&copied)
    );
    assert_eq!(
        header(
            &send(&mut aws, "HEAD", "", "/plain/a", &[], b""),
            "x-amz-meta-by"
        ),
        Some("me")
    );
    assert_eq!(
        send(
            &mut aws,
            "PUT",
            "",
            "/plain/a",
            &[("x-amz-copy-source", "kept")],
            b""
        )
        .status,
        400
    );
}
