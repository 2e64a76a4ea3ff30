use serde_json::{Value, json};

use super::*;

fn request(service: &str, target: &str, body: &str) -> Request {
    Request {
        caller: "operator".to_owned(),
        method: "POST".to_owned(),
        path_and_query: "/".to_owned(),
        headers: vec![
            (
                "authorization".to_owned(),
                format!(
                    "AWS4-HMAC-SHA256 Credential=AKIA/20260105/eu-west-1/{service}/aws4_request, \
                     SignedHeaders=host, Signature=0"
                ),
            ),
            ("x-amz-target".to_owned(), target.to_owned()),
        ],
        body: body.as_bytes().to_vec(),
        ..Request::default()
    }
}

fn body(response: &Response) -> Value {
    serde_json::from_slice(&response.body).unwrap()
}

#[test]
fn json_errors_name_their_type_in_body_and_header() {
    let mut aws = Aws::new(1);
    let response = aws.call(&request(
        "dynamodb",
        "DynamoDB_20120810.GetItem",
        r#"{"TableName":"none","Key":{}}"#,
    ));

    assert_eq!(response.status, 400);
    assert_eq!(
        body(&response),
        json!({
            "__type": "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException",
            "message": "Requested resource not found",
        })
    );

    let header = |name: &str| {
        response
            .headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.clone())
    };
    assert_eq!(
        header("content-type").as_deref(),
        Some("application/x-amz-json-1.0")
    );
    assert_eq!(
        header("x-amzn-errortype").as_deref(),
        Some("ResourceNotFoundException")
    );
    assert_eq!(header("x-amzn-requestid").map(|id| id.len()), Some(36));
}

#[test]
fn the_signature_and_the_target_must_agree() {
    let mut aws = Aws::new(1);
    let crossed = aws.call(&request("ecr", "DynamoDB_20120810.GetItem", "{}"));
    assert_eq!(
        body(&crossed)["__type"],
        "com.amazon.coral.service#UnknownOperationException"
    );

    let unsigned = aws.call(&Request::default());
    assert_eq!(
        (unsigned.status, &body(&unsigned)["message"]),
        (403, &json!("Missing Authentication Token"))
    );

    let broken = aws.call(&request(
        "ecr",
        "AmazonEC2ContainerRegistry_V20150921.DescribeImages",
        "{",
    ));
    assert_eq!(
        body(&broken)["__type"],
        "com.amazon.coral.service#SerializationException"
    );
}

#[test]
fn every_call_is_logged_with_its_error() {
    let mut aws = Aws::new(1);
    aws.call(&request(
        "ecr",
        "AmazonEC2ContainerRegistry_V20150921.DescribeRepositories",
        "",
    ));
    aws.now += 5;
    aws.throttle(&request(
        "ecs",
        "AmazonEC2ContainerServiceV20141113.UpdateService",
        "{}",
    ));

    let call = |at, service: &str, operation: &str, error: Option<&str>| Call {
        at,
        caller: "operator".to_owned(),
        service: service.to_owned(),
        operation: operation.to_owned(),
        error: error.map(str::to_owned),
        attempt: None,
        cut_off: false,
    };
    let start = aws.now - 5;

    assert_eq!(
        aws.calls[..],
        [
            call(start, "ecr", "DescribeRepositories", None),
            call(
                start + 5,
                "ecs",
                "UpdateService",
                Some("ThrottlingException")
            ),
        ]
    );
}

#[test]
fn query_errors_are_xml() {
    let mut aws = Aws::new(1);
    let response = aws.call(&request(
        "elasticloadbalancing",
        "",
        "Action=Describe%20Nothing&Version=2015-12-01",
    ));
    let text = String::from_utf8(response.body).unwrap();

    assert_eq!(response.status, 400);
    assert!(text.starts_with("<ErrorResponse xmlns="), "{text}");
    assert!(
        text.contains(
            "<Error><Type>Sender</Type><Code>InvalidAction</Code><Message>Could not \
        find operation Describe Nothing for version 2015-12-01</Message></Error>"
        ),
        "{text}"
    );
}

/// A request to a service of the query protocol, with this form.
fn form_request(service: &str, form: &str) -> Request {
    let mut request = request(service, "", form);
    request.headers[1] = (
        "content-type".to_owned(),
        "application/x-www-form-urlencoded; charset=utf-8".to_owned(),
    );
    request
}

/// A request to a service of the CBOR protocol, with this path.
fn cbor_request(service: &str, path: &str) -> Request {
    let mut request = request(service, "", "");
    request.path_and_query = path.to_owned();
    request.headers[1] = ("smithy-protocol".to_owned(), "rpc-v2-cbor".to_owned());
    request
}

#[test]
fn services_that_are_not_there_refuse_in_their_own_protocol() {
    let mut aws = Aws::new(1);
    let json = aws.call(&request("logs", "Logs_20140328.DescribeLogGroups", "{}"));
    assert_eq!(
        body(&json)["__type"],
        "com.amazon.coral.service#UnknownOperationException"
    );

    let form = form_request("sns", "Action=ListTopics&Version=2010-03-31");
    let form = String::from_utf8(aws.call(&form).body).unwrap();
    assert!(form.contains("<Code>InvalidAction</Code>"), "{form}");

    let mut rest = request("batch", "", "{}");
    rest.path_and_query = "/v1/describejobqueues".to_owned();
    rest.headers[1].0 = "accept".to_owned();
    let rest = aws.call(&rest);
    assert!(
        rest.status == 404
            && rest.headers.contains(&(
                "x-amzn-errortype".to_owned(),
                "UnknownOperationException".to_owned()
            ))
    );

    let cbor = aws.call(&cbor_request("oam", "/service/Oam/operation/ListLinks"));
    let kind = &b"\xa2\x66__type\x78\x32com.amazon.coral.service#UnknownOperationException"[..];

    assert!(
        cbor.status == 400 && cbor.body.starts_with(kind),
        "{:?}",
        String::from_utf8_lossy(&cbor.body)
    );

    let operations: Vec<&str> = aws
        .calls
        .iter()
        .map(|call| call.operation.as_str())
        .collect();
    assert_eq!(
        operations,
        [
            "DescribeLogGroups",
            "ListTopics",
            "POST /v1/describejobqueues",
            "ListLinks"
        ]
    );
}

#[test]
fn names_of_a_form_spell_a_structure() {
    let form = [
        ("A.member.10.B", "x"),
        ("A.member.2.B", "y"),
        ("C", "z"),
        ("D.E", "w"),
    ];
    let form = form
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
    let expected = json!({"A": [{"B": "y"}, {"B": "x"}], "C": "z", "D": {"E": "w"}});

    assert_eq!(Value::Object(query::tree(&form)), expected);
}
