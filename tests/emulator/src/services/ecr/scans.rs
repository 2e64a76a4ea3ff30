//! Scans of images for vulnerabilities: their state, which a run sets, and
//! DescribeImageScanFindings.

use serde_json::{Value, json};

use super::describe::no_image;
use super::{check_members, named, page, parameter};
use crate::page::Page;
use crate::{ApiError, Aws, Millis, eventbridge};

const MEMBERS: [&str; 5] = [
    "registryId",
    "repositoryName",
    "imageId",
    "nextToken",
    "maxResults",
];

/// What scans an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scanner {
    /// Amazon ECR itself.
    Basic,
    /// Amazon Inspector.
    Enhanced,
}

/// The scan of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scan {
    pub scanner: Scanner,
    /// Its status, such as `IN_PROGRESS`.
    pub status: &'static str,
    /// When it has completed. The status can be `COMPLETE` or `ACTIVE` before.
    pub completed: Option<Millis>,
    /// The names of what it has found, each with its severity.
    pub findings: Vec<(String, &'static str)>,
}

/// Sets the scan of an image. One that has completed or failed is reported on the event bus.
pub fn set_scan(aws: &mut Aws, repository: &str, digest: &str, scan: Scan) -> Result<(), ApiError> {
    let input = json!({ "repositoryName": repository });
    let id = json!({ "imageDigest": digest });
    let (name, found) = named(aws, &input)?;
    let arn = found.arn.clone();
    if found.find(&id).is_none() {
        return Err(no_image(aws, name, &id));
    }

    let known = aws.ecr.repositories.get_mut(repository);
    if let Some(image) = known.and_then(|known| known.images.get_mut(digest)) {
        let tags = image.tags.clone();
        image.scan = Some(scan.clone());
        report(
            aws,
            repository,
            &arn,
            &scan,
            &json!({ "image-digest": digest, "image-tags": tags }),
        );
    }
    Ok(())
}

/// The event of a scan, if its state is one that is reported.
fn report(aws: &mut Aws, repository: &str, arn: &str, scan: &Scan, image: &Value) {
    let mut detail = image.clone();
    detail["finding-severity-counts"] = counts(scan);
    match scan.scanner {
        Scanner::Basic if scan.completed.is_some() || scan.status == "FAILED" => {
            detail["repository-name"] = json!(repository);
            detail["scan-status"] = json!(scan.status);
            let resources = vec![arn.to_owned()];
            eventbridge::emit(aws, "aws.ecr", "ECR Image Scan", resources, detail);
        }
        Scanner::Enhanced if scan.completed.is_some() => {
            detail["repository-name"] = json!(arn);
            detail["scan-status"] = json!("INITIAL_SCAN_COMPLETE");
            detail["finding-severity-counts"]["TOTAL"] = json!(scan.findings.len());
            let resources = vec![arn.to_owned()];
            eventbridge::emit(aws, "aws.inspector2", "Inspector2 Scan", resources, detail);
        }
        _ => {}
    }
}

/// Whether the findings of an image are those of Amazon Inspector.
pub(super) fn is_enhanced(aws: &Aws, repository: &str, id: &Value) -> bool {
    let Some(repository) = aws.ecr.repositories.get(repository) else {
        return false;
    };
    let image = repository.find(id).map(|digest| &repository.images[digest]);
    let scan = image.and_then(|image| image.scan.as_ref());
    scan.is_some_and(|scan| scan.scanner == Scanner::Enhanced)
}

pub(super) fn findings(aws: &Aws, input: &Value) -> Result<Value, ApiError> {
    check_members(input, &MEMBERS)?;
    let (name, repository) = named(aws, input)?;
    let id = &input["imageId"];
    if !id.is_object() {
        return Err(parameter("imageId", "Member must not be null"));
    }
    let digest = repository.find(id).ok_or_else(|| no_image(aws, name, id))?;
    let scan = repository.images[digest]
        .scan
        .as_ref()
        .ok_or_else(|| no_scan(aws, name, id))?;

    let all = match scan.completed {
        Some(_) => scan.findings.clone(),
        None => Vec::new(),
    };
    let Page { items, next } = page(aws, input, all)?;
    let (member, of_scanner) = match (scan.scanner, scan.completed) {
        (Scanner::Enhanced, Some(_)) => ("enhancedFindings", enhanced as fn(_) -> Value),
        _ => ("findings", basic as fn(_) -> Value),
    };
    let mut found = json!({});
    found[member] = items.into_iter().map(of_scanner).collect();
    if let Some(completed) = scan.completed {
        found["imageScanCompletedAt"] = Aws::seconds(completed);
        found["vulnerabilitySourceUpdatedAt"] = Aws::seconds(completed);
        found["findingSeverityCounts"] = counts(scan);
    }

    let mut output = json!({
        "registryId": aws.account,
        "repositoryName": name,
        "imageId": { "imageDigest": digest },
        "imageScanStatus": { "status": scan.status },
        "imageScanFindings": found,
    });
    if let Some(next) = next {
        output["nextToken"] = json!(next);
    }
    Ok(output)
}

/// How many findings there are of each severity, without those of which there are none.
fn counts(scan: &Scan) -> Value {
    let mut counts = json!({});
    for (_, severity) in &scan.findings {
        let known = counts[*severity].as_u64().unwrap_or_default();
        counts[*severity] = json!(known + 1);
    }
    counts
}

fn basic((name, severity): (String, &'static str)) -> Value {
    json!({ "name": name, "severity": severity, "attributes": [] })
}

fn enhanced((name, severity): (String, &'static str)) -> Value {
    json!({
        "severity": severity,
        "status": "ACTIVE",
        "title": format!("{name} - libssh2"),
        "type": "PACKAGE_VULNERABILITY",
        "packageVulnerabilityDetails": { "vulnerabilityId": name },
    })
}

fn no_scan(aws: &Aws, repository: &str, id: &Value) -> ApiError {
    let part = |member: &str| id[member].as_str().unwrap_or("null").to_owned();
    let message = format!(
        "Image scan does not exist for the image with '{{imageDigest:'{}', imageTag:'{}'}}' in \
         the repository with name '{repository}' in the registry with id '{}'",
        part("imageDigest"),
        part("imageTag"),
        aws.account
    );
    ApiError::client("ScanNotFoundException", message)
}
