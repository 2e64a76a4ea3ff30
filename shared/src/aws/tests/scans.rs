//! The scan of an image, as Amazon ECR describes it.

use serde_json::{Value, json};

use super::script::{Answer, Script, answer, refusal, run};
use crate::aws::{AwsError, Scans};
use crate::observed::image::{Finding, ImageScan};

const DIGEST: &str = "sha256:0a";

fn scan(answers: impl IntoIterator<Item = Answer>) -> (Result<ImageScan, AwsError>, Script) {
    let script = Script::new(answers);
    let read = run(Scans::new(&script.sdk()).scan("web", DIGEST));
    (read, script)
}

fn described(status: &str, found: &Value) -> Value {
    json!({"imageScanStatus": {"status": status}, "imageScanFindings": found})
}

fn finding(name: &str, severity: &str) -> Finding {
    Finding {
        name: name.to_owned(),
        severity: severity.to_owned(),
    }
}

#[test]
fn the_findings_of_a_scan_are_read_to_the_last_page() {
    let page = |name: &str| {
        json!({
            "imageScanCompletedAt": 1_767_603_600,
            "findings": [{"name": name, "severity": "HIGH"}],
        })
    };
    let mut first = described("COMPLETE", &page("CVE-2024-0001"));
    first["nextToken"] = json!("more");
    let last = described("COMPLETE", &page("CVE-2024-0002"));
    let (read, script) = scan([answer(&first), answer(&last)]);

    let found = vec![
        finding("CVE-2024-0001", "HIGH"),
        finding("CVE-2024-0002", "HIGH"),
    ];
    assert_eq!(read.expect("answered"), ImageScan::Completed(found));
    let request = json!({
        "repositoryName": "web", "imageId": {"imageDigest": DIGEST}, "maxResults": 1_000,
    });
    let mut next = request.clone();
    next["nextToken"] = json!("more");
    let sent: Vec<_> = script.sent().iter().map(|sent| sent.json()).collect();
    assert_eq!(sent, [request, next]);
}

#[test]
fn the_findings_of_inspector_have_the_name_of_their_vulnerability() {
    let (read, _) = scan([answer(&described(
        "ACTIVE",
        &json!({
            "imageScanCompletedAt": 1_767_603_600,
            "enhancedFindings": [
                {
                    "severity": "CRITICAL", "title": "CVE-2024-0001 - libssh2",
                    "packageVulnerabilityDetails": {"vulnerabilityId": "CVE-2024-0001"},
                },
                {"severity": "UNTRIAGED", "title": "a port"},
            ],
        }),
    ))]);
    let found = vec![
        finding("CVE-2024-0001", "CRITICAL"),
        finding("a port", "UNTRIAGED"),
    ];
    assert_eq!(read.expect("answered"), ImageScan::Completed(found));
}

#[test]
fn only_a_scan_that_has_completed_has_a_result() {
    let completed = json!({"imageScanCompletedAt": 1_767_603_600, "findings": []});
    for status in ["COMPLETE", "ACTIVE"] {
        let (read, _) = scan([answer(&described(status, &completed))]);
        assert_eq!(read.expect("answered"), ImageScan::Completed(Vec::new()));

        let (read, _) = scan([answer(&described(status, &json!({"findings": []})))]);
        assert_eq!(
            read.expect("answered"),
            ImageScan::Without(status.to_owned())
        );
    }
    for status in [
        "IN_PROGRESS",
        "PENDING",
        "FAILED",
        "UNSUPPORTED_IMAGE",
        "SCAN_ELIGIBILITY_EXPIRED",
        "FINDINGS_UNAVAILABLE",
        "LIMIT_EXCEEDED",
        "IMAGE_ARCHIVED",
    ] {
        let (read, _) = scan([answer(&described(status, &completed))]);
        assert_eq!(
            read.expect("answered"),
            ImageScan::Without(status.to_owned())
        );
    }

    let (read, _) = scan([answer(&json!({}))]);
    assert_eq!(
        read.expect("answered"),
        ImageScan::Without("no status".to_owned())
    );
}

#[test]
fn an_image_that_was_not_scanned_has_no_result_and_a_denied_call_fails() {
    let (read, _) = scan([refusal("ScanNotFoundException", "there is none")]);
    assert_eq!(
        read.expect("answered"),
        ImageScan::Without("ScanNotFoundException".to_owned())
    );

    let (read, _) = scan([refusal("AccessDeniedException", "no")]);
    let operation = read.expect_err("denied").operation;
    assert_eq!(operation, "ecr:DescribeImageScanFindings");
}
