//! Refusals that pass: a service is busy with the same resource, and accepts the call later. No SDK
//! makes such a call again by itself.

use crate::{ApiError, Aws, Request, Response};

/// The target of an operation, with the code and the message of its refusal.
const PASSING: [(&str, &str, &str); 5] = [
    (
        "AmazonEC2ContainerServiceV20141113.RegisterTaskDefinition",
        "ClientException",
        "Too many concurrent attempts to create a new revision of the specified family.",
    ),
    (
        "AnyScaleFrontendService.DescribeScalableTargets",
        "ConcurrentUpdateException",
        "The resource already has a pending update.",
    ),
    (
        "AnyScaleFrontendService.RegisterScalableTarget",
        "ConcurrentUpdateException",
        "The resource already has a pending update.",
    ),
    (
        "CodePipeline_20150709.StartPipelineExecution",
        "ConflictException",
        "Your request cannot be handled because the pipeline is busy handling ongoing activities. \
         Try again later.",
    ),
    (
        "CodePipeline_20150709.StartPipelineExecution",
        "ConcurrentPipelineExecutionsLimitExceededException",
        "The pipeline has reached the limit for concurrent pipeline executions.",
    ),
];

/// The refusals that pass which the operation of a request has.
pub(super) fn passing(request: &Request) -> Vec<ApiError> {
    let target = request.header("x-amz-target");
    PASSING
        .iter()
        .filter(|(operation, ..)| target == Some(*operation))
        .map(|(_, code, message)| ApiError::client(code, *message))
        .collect()
}

/// Answers a request of DynamoDB while another transaction has the items that it would write.
pub(super) fn conflict(aws: &mut Aws, request: &Request) -> Response {
    aws.dynamodb.conflicts += 1;
    aws.call(request)
}

/// Refuses a request with one of the refusals that its operation has; others are served.
pub(super) fn refuse(aws: &mut Aws, request: &Request) -> Response {
    match aws.rng.choice(passing(request)) {
        Some(refusal) => aws.refuse(request, refusal),
        None => aws.call(request),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_that_pass_are_those_of_their_operations() {
        let codes = |target: &str| -> Vec<String> {
            let request = Request {
                headers: vec![("x-amz-target".to_owned(), target.to_owned())],
                ..Request::default()
            };
            let refusals = passing(&request).into_iter();
            refusals.map(|error| error.code).collect()
        };

        assert_eq!(
            codes("AmazonEC2ContainerServiceV20141113.RegisterTaskDefinition"),
            ["ClientException"]
        );
        for target in [
            "AnyScaleFrontendService.DescribeScalableTargets",
            "AnyScaleFrontendService.RegisterScalableTarget",
        ] {
            assert_eq!(codes(target), ["ConcurrentUpdateException"], "{target}");
        }
        assert_eq!(
            codes("CodePipeline_20150709.StartPipelineExecution"),
            [
                "ConflictException",
                "ConcurrentPipelineExecutionsLimitExceededException"
            ]
        );
        for target in [
            "",
            "AmazonEC2ContainerServiceV20141113.UpdateService",
            "CodePipeline_20150709.PutJobSuccessResult",
        ] {
            assert_eq!(codes(target), [""; 0], "{target}");
        }
    }
}
