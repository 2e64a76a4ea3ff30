//! Scans of images, and what DescribeImageScanFindings has of them.

use super::*;

fn scanned(scanner: Scanner, status: &'static str, completed: Option<crate::Millis>) -> Scan {
    let finding = |name: &str, severity| (name.to_owned(), severity);
    Scan {
        scanner,
        status,
        completed,
        findings: vec![
            finding("CVE-2024-0001", "CRITICAL"),
            finding("CVE-2024-0002", "HIGH"),
            finding("CVE-2024-0003", "HIGH"),
        ],
    }
}

/// A repository with an image, and its digest.
fn with_image() -> (Aws, String) {
    let mut aws = world("MUTABLE");
    let put = put(&mut aws, "{}", "v1").unwrap();
    let digest = put["image"]["imageId"]["imageDigest"].as_str().unwrap();
    (aws, digest.to_owned())
}

fn findings(aws: &mut Aws, digest: &str, more: Value) -> Result<Value, String> {
    let mut members = json!({ "imageId": { "imageDigest": digest } });
    members
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    request(aws, "DescribeImageScanFindings", members)
}

#[test]
fn an_image_without_a_scan_has_none_to_describe() {
    let (mut aws, digest) = with_image();
    assert_eq!(
        findings(&mut aws, &digest, json!({})).unwrap_err(),
        format!(
            "ScanNotFoundException: Image scan does not exist for the image with \
             '{{imageDigest:'{digest}', imageTag:'null'}}' in the repository with name 'team/web' \
             in the registry with id '111122223333'"
        )
    );
    let unknown = findings(&mut aws, "sha256:00", json!({})).unwrap_err();
    assert!(unknown.starts_with("ImageNotFoundException"), "{unknown}");
    let unnamed = request(&mut aws, "DescribeImageScanFindings", json!({})).unwrap_err();
    assert!(
        unnamed.starts_with("InvalidParameterException"),
        "{unnamed}"
    );
}

#[test]
fn the_findings_of_a_scan_come_in_pages_with_the_counts_of_all() {
    let (mut aws, digest) = with_image();
    let scan = scanned(Scanner::Basic, "COMPLETE", Some(aws.now));
    set_scan(&mut aws, "team/web", &digest, scan).unwrap();

    let first = findings(&mut aws, &digest, json!({ "maxResults": 2 })).unwrap();
    let found = &first["imageScanFindings"];
    assert_eq!(first["imageScanStatus"]["status"], "COMPLETE");
    assert_eq!(found["findings"].as_array().unwrap().len(), 2);
    assert_eq!(found["findings"][0]["name"], "CVE-2024-0001");
    assert_eq!(found["findings"][0]["severity"], "CRITICAL");
    assert_eq!(
        found["findingSeverityCounts"],
        json!({ "CRITICAL": 1, "HIGH": 2 })
    );

    let token = json!({ "maxResults": 2, "nextToken": first["nextToken"] });
    let second = findings(&mut aws, &digest, token).unwrap();
    let rest = &second["imageScanFindings"]["findings"];
    assert_eq!(rest[0]["name"], "CVE-2024-0003");
    assert_eq!(
        (rest.as_array().unwrap().len(), second.get("nextToken")),
        (1, None)
    );
}

#[test]
fn a_scan_can_have_its_last_status_before_it_has_completed() {
    for scanner in [Scanner::Basic, Scanner::Enhanced] {
        let (mut aws, digest) = with_image();
        set_scan(
            &mut aws,
            "team/web",
            &digest,
            scanned(scanner, "ACTIVE", None),
        )
        .unwrap();
        let described = findings(&mut aws, &digest, json!({})).unwrap();
        assert_eq!(described["imageScanStatus"]["status"], "ACTIVE");
        assert_eq!(described["imageScanFindings"], json!({ "findings": [] }));
    }
}

#[test]
fn the_findings_of_inspector_have_members_of_their_own() {
    let (mut aws, digest) = with_image();
    let scan = scanned(Scanner::Enhanced, "ACTIVE", Some(aws.now));
    set_scan(&mut aws, "team/web", &digest, scan).unwrap();

    let described = findings(&mut aws, &digest, json!({})).unwrap();
    let found = &described["imageScanFindings"];
    assert_eq!(found["imageScanCompletedAt"], Aws::seconds(aws.now));
    assert_eq!(found.get("findings"), None);
    let first = &found["enhancedFindings"][0];
    assert_eq!(first["severity"], "CRITICAL");
    assert_eq!(
        first["packageVulnerabilityDetails"]["vulnerabilityId"],
        "CVE-2024-0001"
    );
}

#[test]
fn a_scan_is_reported_once_it_has_completed_or_failed() {
    let reported = |scan: Scan| {
        let (mut aws, digest) = with_image();
        let before = aws.events.events.len();
        set_scan(&mut aws, "team/web", &digest, scan).unwrap();
        let event = aws.events.events.get(before).cloned();
        event.map(|event| {
            assert_eq!(event["detail"]["image-digest"], json!(digest));
            assert_eq!(event["detail"]["image-tags"], json!(["v1"]));
            (
                event["detail-type"].clone(),
                event["detail"]["repository-name"].clone(),
                event["detail"]["scan-status"].clone(),
                event["detail"]["finding-severity-counts"].clone(),
            )
        })
    };
    let (basic, enhanced) = (Scanner::Basic, Scanner::Enhanced);

    assert_eq!(reported(scanned(basic, "IN_PROGRESS", None)), None);
    assert_eq!(reported(scanned(enhanced, "PENDING", None)), None);
    assert_eq!(
        reported(scanned(basic, "COMPLETE", Some(0))),
        Some((
            json!("ECR Image Scan"),
            json!("team/web"),
            json!("COMPLETE"),
            json!({ "CRITICAL": 1, "HIGH": 2 }),
        ))
    );
    assert_eq!(
        reported(scanned(enhanced, "ACTIVE", Some(0))),
        Some((
            json!("Inspector2 Scan"),
            json!("arn:aws:ecr:eu-west-1:111122223333:repository/team/web"),
            json!("INITIAL_SCAN_COMPLETE"),
            json!({ "CRITICAL": 1, "HIGH": 2, "TOTAL": 3 }),
        ))
    );
}

#[test]
fn the_findings_of_inspector_need_permissions_of_inspector() {
    let demanded = |scanner: Scanner| {
        let (mut aws, digest) = with_image();
        let scan = scanned(scanner, "COMPLETE", Some(aws.now));
        set_scan(&mut aws, "team/web", &digest, scan).unwrap();
        let request = crate::iam::IamRequest {
            service: "ecr".to_owned(),
            operation: "DescribeImageScanFindings".to_owned(),
            input: json!({ "repositoryName": "team/web", "imageId": { "imageDigest": digest } }),
        };
        let demands = iam::demands(&mut aws, &request).unwrap();
        let actions = demands.into_iter().map(|demand| demand.action);
        actions.collect::<Vec<_>>()
    };

    assert_eq!(demanded(Scanner::Basic), ["ecr:DescribeImageScanFindings"]);
    assert_eq!(
        demanded(Scanner::Enhanced),
        [
            "ecr:DescribeImageScanFindings",
            "inspector2:ListCoverage",
            "inspector2:ListFindings",
        ]
    );
}
