//! Limits of pushes: which events are of one push, and what a sweep looks for.

use std::time::Duration;

/// Longest time after a claim for which another tag of the same digest counts as the same push,
/// while its release is in progress. Ours: a build pushes its tags within minutes, and a release
/// whose end was never reported must not hold its digest forever.
pub const SAME_PUSH: Duration = Duration::from_secs(60 * 60);

/// How long after a push or a claim a sweep takes it for missed. Ours: twice as long as Lambda
/// tries an event (`MaximumEventAgeInSeconds` in template.yaml).
pub const SWEEP_AFTER: Duration = Duration::from_secs(10 * 60);

/// How long a sweep looks for images that are older than the newest push, to record that they are
/// not delivered. Ours: more sweeps than one can fail in it.
pub const SWEEP_WINDOW: Duration = Duration::from_secs(24 * 60 * 60);

/// Images that a sweep looks up in the ledger, the newest first. Ours: as many calls fit into
/// `STEP_BUDGET`.
pub const SWEPT_IMAGES: usize = 20;

/// Images of one call: the most that DescribeImages returns (Amazon ECR API: DescribeImages,
/// `maxResults`).
pub const IMAGES_PAGE: i32 = 1_000;

/// Findings of one call: the most that DescribeImageScanFindings returns (Amazon ECR API:
/// DescribeImageScanFindings, `maxResults`).
pub const FINDINGS_PAGE: i32 = 1_000;

/// Artifacts of one call: the most that ListImageReferrers returns (Amazon ECR API:
/// ListImageReferrers, `maxResults`).
pub const REFERRERS_PAGE: i32 = 50;

/// How long after its first push an image may wait for its scan or its signature. Ours: half of
/// `SWEEP_WINDOW`, so that a sweep still looks for it when the wait ends.
pub const SCAN_WAIT: Duration = Duration::from_secs(12 * 60 * 60);
