//! Failed calls: which errors are transient, and which failure the others are. ECS stands for all
//! services.

use std::time::Duration;

use serde_json::json;

use super::script::{Answer, Script, answer, refusal, response, run, xml_refusal};
use crate::aws::{AwsError, Clusters, ErrorKind, Rules};
use crate::job::{Failure, FailureType, StepError};

fn failed(script: &Script) -> AwsError {
    run(Clusters::new(&script.sdk()).instances("apps")).expect_err("the call fails")
}

/// The kind of an error with this code and status.
fn kind(status: u16, code: &str) -> ErrorKind {
    let body = json!({"__type": code, "message": "because"}).to_string();
    let error = failed(&Script::always(response(
        status,
        "application/x-amz-json-1.1",
        body,
    )));

    assert_eq!(
        (error.code.as_str(), error.message.as_str()),
        (code, "because")
    );

    error.kind
}

#[test]
fn a_call_without_a_response_in_any_attempt_is_transient() {
    let script = Script::always(Answer::Silence);
    let error = failed(&script);

    assert_eq!(script.sent().len(), 4, "attempts");
    assert_eq!(
        StepError::from(error),
        StepError::Busy(
            "ecs:DescribeClusters failed: TimeoutError: no response in time; retrying".to_owned()
        )
    );
}

#[test]
fn an_attempt_takes_at_most_4_seconds_and_a_call_12() {
    let script = Script::always(Answer::Silence);
    failed(&script);

    let count = |secs| {
        script
            .waits()
            .iter()
            .filter(|wait| **wait == Duration::from_secs(secs))
            .count()
    };

    assert_eq!((count(4), count(12)), (4, 1), "{:?}", script.waits());
}

#[test]
fn one_response_in_four_attempts_is_enough() {
    let clusters = answer(&json!({"clusters": [{"registeredContainerInstancesCount": 3}]}));
    let script = Script::new([
        Answer::Silence,
        Answer::Refused,
        refusal("ThrottlingException", "slow"),
        clusters,
    ]);

    assert_eq!(
        run(Clusters::new(&script.sdk()).instances("apps")).expect("the fourth attempt works"),
        Some(3)
    );
    assert!(script.is_played());
}

#[test]
fn a_refused_connection_is_transient() {
    let script = Script::always(Answer::Refused);
    let error = failed(&script);

    assert_eq!(script.sent().len(), 4, "attempts");
    assert_eq!(
        StepError::from(error),
        StepError::Busy(
            "ecs:DescribeClusters failed: DispatchFailure: connection refused; retrying".to_owned()
        )
    );
}

#[test]
fn a_server_error_with_an_unreadable_body_is_transient() {
    for status in [500, 502, 503] {
        let error = failed(&Script::always(Answer::Broken(status)));
        assert_eq!(
            StepError::from(error),
            StepError::Busy(format!(
                "ecs:DescribeClusters failed: {status}: the service is unavailable; retrying"
            ))
        );
    }
}

#[test]
fn a_gateway_error_page_is_transient() {
    for status in [502, 503, 504] {
        let page = "<html><body>Bad Gateway</body></html>";
        let error = failed(&Script::always(response(status, "text/html", page)));
        assert_eq!(error.kind, ErrorKind::Busy, "{status}: {error}");
    }
}

#[test]
fn an_unreadable_response_fails_the_job() {
    let error = failed(&Script::always(response(
        200,
        "application/x-amz-json-1.1",
        "<html></html>",
    )));

    assert_eq!(
        (error.kind, error.code.as_str()),
        (ErrorKind::Unexpected, "UnexpectedResponse")
    );
    assert!(matches!(
        StepError::from(error),
        StepError::Failed(Failure {
            kind: FailureType::JobFailed,
            cause: None,
            ..
        })
    ));
}

#[test]
fn throttling_is_transient() {
    for code in [
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "TooManyRequestsException",
        "RequestLimitExceeded",
        "ProvisionedThroughputExceededException",
        "TransactionInProgressException",
        "SlowDown",
        "RequestThrottled",
        "RequestThrottledException",
        "BandwidthLimitExceeded",
        "PriorRequestNotComplete",
        "RequestTimeout",
        "RequestTimeoutException",
    ] {
        assert_eq!(kind(400, code), ErrorKind::Busy, "{code}");
    }

    assert_eq!(kind(429, "Whatever"), ErrorKind::Busy);

    // The SDK counts it as throttling, but here it is a quota of resources.
    assert_eq!(kind(400, "LimitExceededException"), ErrorKind::Rejected);
}

#[test]
fn an_unavailable_service_is_transient() {
    for code in [
        "InternalError",
        "InternalFailure",
        "InternalServerError",
        "ServerException",
        "ServiceUnavailable",
        "ServiceUnavailableException",
    ] {
        assert_eq!(kind(400, code), ErrorKind::Busy, "{code}");
    }

    for status in [500, 503] {
        assert_eq!(kind(status, "Whatever"), ErrorKind::Busy, "{status}");
    }
}

#[test]
fn a_denial_is_a_permission_error() {
    for code in [
        "AccessDenied",
        "AccessDeniedException",
        "AuthorizationError",
        "UnauthorizedOperation",
        "OptInRequired",
    ] {
        assert_eq!(kind(400, code), ErrorKind::Permission, "{code}");
    }

    assert!(matches!(
        StepError::from(failed(&Script::always(refusal(
            "AccessDeniedException",
            "no"
        )))),
        StepError::Failed(Failure {
            kind: FailureType::PermissionError,
            cause: None,
            ..
        })
    ));
}

#[test]
fn a_refusal_is_a_configuration_error_with_aws_message() {
    assert_eq!(kind(400, "ClientException"), ErrorKind::Rejected);
    assert_eq!(kind(404, "Whatever"), ErrorKind::Rejected);

    let error = failed(&Script::new([refusal(
        "InvalidParameterException",
        "Name must not be empty",
    )]));
    let message = "ecs:DescribeClusters failed: InvalidParameterException: Name must not be empty";

    assert_eq!(
        StepError::from(error),
        StepError::Failed(Failure::configuration(message))
    );
}

#[test]
fn an_error_without_a_message_is_its_code() {
    let body = json!({"__type": "ClientException"}).to_string();
    let error = failed(&Script::new([response(
        400,
        "application/x-amz-json-1.1",
        body,
    )]));

    assert_eq!(
        error.to_string(),
        "ecs:DescribeClusters failed: ClientException: no message"
    );
    assert_eq!(error.kind, ErrorKind::Rejected);
}

#[test]
fn errors_of_the_query_protocol_are_read() {
    let script = Script::always(xml_refusal("Throttling", "Rate exceeded"));
    let error = run(Rules::new(&script.sdk())
        .observe("arn:aws:elasticloadbalancing:…:listener-rule/app/a/1/2/3"));
    let error = error.expect_err("throttled");

    assert_eq!(
        (
            error.operation,
            error.kind,
            error.code.as_str(),
            error.message.as_str()
        ),
        (
            "elasticloadbalancing:DescribeRules",
            ErrorKind::Busy,
            "Throttling",
            "Rate exceeded"
        )
    );
    assert_eq!(script.sent().len(), 4, "attempts");
}

#[test]
fn the_instances_of_a_cluster_are_counted() {
    let script = Script::new([answer(
        &json!({"clusters": [{"registeredContainerInstancesCount": 3}]}),
    )]);

    assert_eq!(
        run(Clusters::new(&script.sdk()).instances("apps")).expect("answered"),
        Some(3)
    );
    assert_eq!(script.only().operation(), "DescribeClusters");
    assert_eq!(script.only().json(), json!({"clusters": ["apps"]}));
}

#[test]
fn a_missing_cluster_has_no_count() {
    let missing =
        answer(&json!({"clusters": [], "failures": [{"arn": "aps", "reason": "MISSING"}]}));

    assert_eq!(
        run(Clusters::new(&Script::new([missing]).sdk()).instances("aps")).expect("answered"),
        None
    );

    let negative = answer(&json!({"clusters": [{"registeredContainerInstancesCount": -1}]}));
    let error = run(Clusters::new(&Script::new([negative]).sdk()).instances("apps"))
        .expect_err("a negative count");

    assert_eq!(error.kind, ErrorKind::Unexpected);
}
