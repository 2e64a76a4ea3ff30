//! Scans of images for vulnerabilities: what Amazon ECR, or Amazon Inspector for it, has found.

use std::sync::Arc;

use aws_sdk_ecr::types::{
    EnhancedImageScanFinding, ImageIdentifier, ImageScanFinding, ImageScanFindings, ScanStatus,
};

use super::clients::Clients;
use super::pages::Pages;
use super::{AwsError, Sdk};
use crate::limits::FINDINGS_PAGE;
use crate::observed::image::{Finding, ImageScan};

/// The error code for an image that has not been scanned.
const NO_SCAN: &str = "ScanNotFoundException";

#[derive(Clone, Debug)]
pub struct Scans {
    clients: Arc<Clients>,
}

impl Scans {
    #[must_use]
    pub fn new(sdk: &Sdk) -> Self {
        Self {
            clients: Arc::clone(&sdk.service),
        }
    }

    /// The scan of a digest of a repository in the function's own account and region, with all
    /// findings if it has completed.
    ///
    /// # Errors
    /// If a call fails, or there are too many findings.
    pub async fn scan(&self, repository: &str, digest: &str) -> Result<ImageScan, AwsError> {
        const OPERATION: &str = "ecr:DescribeImageScanFindings";
        let id = ImageIdentifier::builder().image_digest(digest).build();
        let mut findings = Vec::new();
        let mut pages = Pages::new(OPERATION);

        while let Some(start) = pages.next_start()? {
            let is_first = start.is_none();
            let request = self
                .clients
                .ecr()
                .describe_image_scan_findings()
                .repository_name(repository)
                .image_id(id.clone())
                .max_results(FINDINGS_PAGE)
                .set_next_token(start);
            let page = match request.send().await.map_err(AwsError::from_sdk(OPERATION)) {
                Err(error) if error.code == NO_SCAN => return Ok(ImageScan::Without(error.code)),
                described => described?,
            };

            let found = page.image_scan_findings();
            let status = page.image_scan_status().and_then(|it| it.status());
            if is_first && !has_completed(status, found) {
                let status = status.map_or("no status", ScanStatus::as_str);
                return Ok(ImageScan::Without(status.to_owned()));
            }
            findings.extend(found.into_iter().flat_map(all));
            pages.go_on(page.next_token);
        }
        Ok(ImageScan::Completed(findings))
    }
}

/// Whether a scan has a result. COMPLETE and ACTIVE, without findings, can come before that
/// (github.com/aws/aws-sdk issue 289).
fn has_completed(status: Option<&ScanStatus>, found: Option<&ImageScanFindings>) -> bool {
    let is_last = matches!(status, Some(ScanStatus::Complete | ScanStatus::Active));
    is_last && found.is_some_and(|found| found.image_scan_completed_at().is_some())
}

/// The findings of basic scanning, or those of enhanced scanning.
fn all(found: &ImageScanFindings) -> Vec<Finding> {
    let basic = found.findings().iter().map(basic);
    let enhanced = found.enhanced_findings().iter().map(enhanced);
    basic.chain(enhanced).collect()
}

fn basic(found: &ImageScanFinding) -> Finding {
    Finding {
        name: found.name().unwrap_or_default().to_owned(),
        severity: found
            .severity()
            .map_or("", |severity| severity.as_str())
            .to_owned(),
    }
}

fn enhanced(found: &EnhancedImageScanFinding) -> Finding {
    let details = found.package_vulnerability_details();
    let name = details.and_then(|details| details.vulnerability_id());
    Finding {
        name: name.or(found.title()).unwrap_or_default().to_owned(),
        severity: found.severity().unwrap_or_default().to_owned(),
    }
}
