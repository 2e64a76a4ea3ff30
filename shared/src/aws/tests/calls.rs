//! Failed calls: which errors are transient, and which failure the others are. ECS stands for all
//! services.

use std::io;
use std::time::Duration;

use aws_sdk_ecs::types::ContainerInstanceStatus;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::{ConnectorError, SdkError};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::error::ErrorMetadata;
use serde_json::json;

use super::script::{Answer, Script, answer, refusal, response, run, xml_refusal};
use crate::aws::{AwsError, Clusters, ErrorKind, Ledger, Rules};
use crate::job::{Failure, FailureType, StepError};

fn failed(script: &Script) -> AwsError {
    run(Clusters::new(&script.sdk()).instances("apps", ContainerInstanceStatus::Active))
        .expect_err("the call fails")
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
            "ecs:ListContainerInstances failed: TimeoutError: no response in time; retrying"
                .to_owned()
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
    let listed = answer(&json!({"containerInstanceArns": ["i-1"]}));
    let script = Script::new([
        Answer::Silence,
        Answer::Refused,
        refusal("ThrottlingException", "slow"),
        listed,
    ]);

    assert_eq!(
        run(Clusters::new(&script.sdk()).instances("apps", ContainerInstanceStatus::Active))
            .expect("the fourth attempt works"),
        ["i-1"]
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
            "ecs:ListContainerInstances failed: DispatchFailure: connection refused; retrying"
                .to_owned()
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
                "ecs:ListContainerInstances failed: {status}: the service is unavailable; retrying"
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
fn an_unreadable_response_of_a_call_that_succeeded_is_not_understood() {
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
        StepError::Unexpected(Failure {
            kind: FailureType::JobFailed,
            cause: None,
            ..
        })
    ));

    // The crates of the SDK differ in how they give it.
    let broken = response(200, "application/x-amz-json-1.0", "{\"Item\": {\"pk\"");
    let error = run(Ledger::new(&Script::new([broken]).sdk()).lease("apps", "web"));
    let error = error.expect_err("broken off");
    assert_eq!(
        (error.kind, error.to_string().as_str()),
        (
            ErrorKind::Unexpected,
            "dynamodb:GetItem failed: UnexpectedResponse: the response could not be read"
        )
    );
}

#[test]
fn a_response_that_broke_off_is_transient() {
    let failed = |source: BoxError| {
        let status = 200_u16.try_into().expect("a status of HTTP");
        let response = HttpResponse::new(status, SdkBody::from("{\"Item\""));
        let error = SdkError::<ErrorMetadata, _>::response_error(source, response);
        AwsError::from_sdk("ecs:UpdateService")(error)
    };
    let ended = || BoxError::from(io::Error::from(io::ErrorKind::UnexpectedEof));

    assert_eq!(
        StepError::from(failed(ended())),
        StepError::Busy(
            "ecs:UpdateService failed: ResponseError: the response broke off; retrying".to_owned()
        )
    );
    // The HTTP client's own error is around it.
    let wrapped = ConnectorError::io(ended()).into();
    assert_eq!(failed(wrapped).kind, ErrorKind::Busy);
    assert_eq!(failed("not an object".into()).kind, ErrorKind::Unexpected);
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
        StepError::Refused(Failure {
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
    let message =
        "ecs:ListContainerInstances failed: InvalidParameterException: Name must not be empty";

    assert_eq!(
        StepError::from(error),
        StepError::Refused(Failure::configuration(message))
    );
}

#[test]
fn credentials_that_are_not_taken_are_looked_at_again_and_then_name_what_to_check() {
    let role = "check that the role of this call exists, that its sessions are not revoked, and \
                that its account has enabled the region";
    let time = "check that the time of the function is right, and that no proxy changes its \
                requests";
    for (code, check) in [
        ("ExpiredToken", role),
        ("ExpiredTokenException", role),
        ("InvalidAccessKeyId", role),
        ("InvalidClientTokenId", role),
        ("InvalidToken", role),
        ("UnrecognizedClientException", role),
        ("InvalidSignatureException", time),
        ("RequestExpired", time),
        ("RequestTimeTooSkewed", time),
        ("SignatureDoesNotMatch", time),
    ] {
        assert_eq!(kind(400, code), ErrorKind::Credentials, "{code}");
        assert_eq!(kind(403, code), ErrorKind::Credentials, "{code}");

        let error = failed(&Script::new([refusal(code, "no")]));
        let message = format!(
            "ecs:ListContainerInstances failed: {code}: no; {check}, then retry the release"
        );
        let failure = Failure::configuration(message);
        assert_eq!(StepError::from(error), StepError::Unexpected(failure));
    }
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
        "ecs:ListContainerInstances failed: ClientException: no message"
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
fn a_caller_that_may_not_do_what_scaling_does_is_denied() {
    let missing = "User is missing the following permissions: ecs:UpdateService";
    let error = failed(&Script::always(refusal("ValidationException", missing)));

    assert_eq!(
        StepError::from(error),
        StepError::Refused(Failure::new(
            FailureType::PermissionError,
            format!(
                "ecs:ListContainerInstances failed: ValidationException: {missing}; allow \
                 ecs:UpdateService in the role of this call, then retry the release"
            )
        ))
    );
    let another = failed(&Script::always(refusal("ValidationException", "no")));
    assert_eq!(another.kind, ErrorKind::Rejected);
}

#[test]
fn a_caller_that_may_not_read_the_client_of_a_user_pool_is_denied() {
    let denied = "User is not authorized to perform 'describeUserPoolClient'";
    let error = failed(&Script::always(refusal(
        "InvalidLoadBalancerAction",
        denied,
    )));
    assert_eq!(error.kind, ErrorKind::Permission);

    let StepError::Refused(failure) = StepError::from(error) else {
        panic!("refused")
    };
    assert_eq!(failure.kind, FailureType::PermissionError);
    let remedy = "; allow cognito-idp:DescribeUserPoolClient on the user pool of the rule in the \
                  role of this call (parameter UserPoolArn of the stack of the deploy role), then \
                  retry the release";
    assert!(failure.message.ends_with(remedy), "{failure}");
}
