//! What ECR's operations need to be allowed.
//!
//! Source:
//! <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerregistry.html>

use super::scans;
use crate::Aws;
use crate::cloudformation::items;
use crate::iam::{Demand, IamRequest};

pub(super) fn demands(aws: &mut Aws, request: &IamRequest) -> Option<Vec<Demand>> {
    let registry = request.input["registryId"].as_str().unwrap_or(&aws.account);
    let (partition, region) = (aws.partition().name, &aws.region);
    let repository =
        |name: &str| format!("arn:{partition}:ecr:{region}:{registry}:repository/{name}");

    Some(match request.operation.as_str() {
        "DescribeRepositories" => match items(&request.input["repositoryNames"]) {
            [] => vec![request.on(repository("*"))],
            names => names
                .iter()
                .map(|name| request.on(repository(name.as_str().unwrap_or_default())))
                .collect(),
        },
        "CreatePullThroughCacheRule" => vec![request.on("*".to_owned())],
        // The findings of enhanced scanning are Amazon Inspector's.
        "DescribeImageScanFindings" => {
            let name = request.text("repositoryName");
            let mut demands = vec![request.on(repository(name))];
            if scans::is_enhanced(aws, name, &request.input["imageId"]) {
                let of_inspector = ["inspector2:ListCoverage", "inspector2:ListFindings"];
                demands.extend(of_inspector.map(Demand::anywhere));
            }
            demands
        }
        "ListImageReferrers" => {
            let of_repository = repository(request.text("repositoryName"));
            vec![Demand::new("ecr:BatchGetImage", of_repository)]
        }
        "CreateRepository"
        | "PutImage"
        | "DescribeImages"
        | "BatchGetImage"
        | "UpdateImageStorageClass" => {
            vec![request.on(repository(request.text("repositoryName")))]
        }
        _ => return None,
    })
}
