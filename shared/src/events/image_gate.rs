//! The gate of images: how old an image may be that a push starts, for which architecture it must
//! be built, how many findings of which severity its scan may have, and whether it must be signed.
//!
//! Only a scan that has completed shows that there are few findings. An image whose manifest names
//! no architecture may be built for any.

use std::time::Duration;

use serde::Deserialize;

use crate::limits::SCAN_WAIT;
use crate::manifest::ManifestKind;
use crate::observed::image::{Finding, ImageScan};
use crate::timestamp::{Timestamp, minutes, readable};

/// The severities of basic scanning, and the one that only Amazon Inspector has (Amazon ECR API:
/// ImageScanFinding; Amazon Inspector API: Finding).
const SEVERITIES: [&str; 7] = [
    "CRITICAL",
    "HIGH",
    "MEDIUM",
    "LOW",
    "INFORMATIONAL",
    "UNDEFINED",
    "UNTRIAGED",
];

/// The architectures of tasks as images name them (Amazon ECS API: RuntimePlatform,
/// `cpuArchitecture`; github.com/opencontainers/image-spec: `image-index.md`).
const ARCHITECTURES: [&str; 2] = ["amd64", "arm64"];

/// How many findings a message names.
const NAMED: usize = 3;

/// What an image must be, as words with spaces between them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct ImageGate {
    /// How many hours after it came into the repository a push still starts an image.
    hours: Option<u32>,
    /// The architecture of the tasks.
    architecture: Option<String>,
    /// How many findings there may be of a severity; of the others any number.
    limits: Vec<(String, usize)>,
    /// The findings that do not count.
    allowed: Vec<String>,
    unscanned: Unscanned,
    /// Whether it must have a signature.
    is_signed: bool,
}

/// What becomes of an image without the result of a scan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Unscanned {
    #[default]
    Wait,
    Start,
    Refuse,
}

/// What a gate decides about an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImageDecision {
    Pass,
    Wait(String),
    Refuse(String),
}

impl TryFrom<String> for ImageGate {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let refused = |why: &str| {
            format!(
                "`image_gate` is `{text}`; expected age: with hours, architecture:amd64 or \
                 architecture:arm64, severities with the most findings, such as CRITICAL:0 \
                 HIGH:5, allow: with the name of a finding, unscanned:wait, unscanned:start or \
                 unscanned:refuse, and signature:required; or nothing: {why}"
            )
        };
        let mut gate = Self::default();
        for word in text.split_whitespace() {
            let taken = gate.take(word);
            taken.ok_or_else(|| refused(&format!("`{word}` is none of these")))?;
        }
        if !gate.is_set() && !text.trim().is_empty() {
            return Err(refused(
                "it has neither an age nor an architecture nor a severity nor a signature",
            ));
        }
        Ok(gate)
    }
}

impl ImageGate {
    /// Reads one word of the gate.
    fn take(&mut self, word: &str) -> Option<()> {
        match word.split_once(':')? {
            ("age", hours) => self.hours = Some(hours.parse().ok()?),
            ("architecture", name) => {
                let known = ARCHITECTURES.contains(&name);
                self.architecture = Some(known.then(|| name.to_owned())?);
            }
            ("allow", name) if !name.is_empty() => self.allowed.push(name.to_owned()),
            ("unscanned", "wait") => self.unscanned = Unscanned::Wait,
            ("unscanned", "start") => self.unscanned = Unscanned::Start,
            ("unscanned", "refuse") => self.unscanned = Unscanned::Refuse,
            ("signature", "required") => self.is_signed = true,
            (severity, most) if SEVERITIES.contains(&severity) => {
                self.limits.push((severity.to_owned(), most.parse().ok()?));
            }
            _ => return None,
        }
        Some(())
    }

    /// Whether the gate has any condition.
    #[must_use]
    pub fn is_set(&self) -> bool {
        let of_image = self.hours.is_some() || self.architecture.is_some();
        of_image || self.is_about_scan() || self.is_signed
    }

    /// Whether the architecture of an image matters.
    #[must_use]
    pub fn is_about_architecture(&self) -> bool {
        self.architecture.is_some()
    }

    /// Whether an image must have a signature.
    #[must_use]
    pub fn needs_signature(&self) -> bool {
        self.is_signed
    }

    /// Whether the scan of an image matters.
    #[must_use]
    pub fn is_about_scan(&self) -> bool {
        !self.limits.is_empty()
    }

    /// Why an image that came into the repository at this time is too old.
    #[must_use]
    pub fn why_too_old(&self, first_pushed_at: Timestamp, now: Timestamp) -> Option<String> {
        let hours = self.hours?;
        let age = now.since(first_pushed_at);
        (age > minutes(hours.saturating_mul(60))).then(|| {
            format!(
                "the image came into the repository at {first_pushed_at}, {} ago; expected at most \
                 {hours} hours: push a new image, or start the pipeline by hand",
                readable(age)
            )
        })
    }

    /// Why an image cannot run on the architecture of the tasks.
    #[must_use]
    pub fn why_not_built(&self, kind: &ManifestKind) -> Option<String> {
        let expected = self.architecture.as_deref()?;
        let others = kind.built_for_others(expected)?;
        Some(format!(
            "the image is built for {}; expected {expected}, the architecture of the gate: push an \
             image that is built for it",
            others.join(", ")
        ))
    }

    /// Decides about an image that has been in its repository for this long.
    #[must_use]
    pub fn decide(&self, scan: &ImageScan, age: Duration) -> ImageDecision {
        match scan {
            ImageScan::Completed(findings) => {
                let excess = self.excess(findings);
                excess.map_or(ImageDecision::Pass, ImageDecision::Refuse)
            }
            ImageScan::Without(status) => self.decide_without(status, age),
        }
    }

    /// Why there are too many findings.
    fn excess(&self, findings: &[Finding]) -> Option<String> {
        self.limits.iter().find_map(|(severity, most)| {
            let counted: Vec<&str> = findings
                .iter()
                .filter(|it| it.severity == *severity && !self.allowed.contains(&it.name))
                .map(|it| it.name.as_str())
                .collect();
            (counted.len() > *most).then(|| {
                format!(
                    "the scan of the image has {} findings of severity {severity}, such as {}; \
                     expected at most {most}: push a new image, or start the pipeline by hand",
                    counted.len(),
                    counted[..counted.len().min(NAMED)].join(", ")
                )
            })
        })
    }

    /// Decides about an image without a signature, which is made after the push.
    #[must_use]
    pub fn decide_unsigned(&self, age: Duration) -> ImageDecision {
        let reason = "the image has no signature".to_owned();
        if age < SCAN_WAIT {
            return ImageDecision::Wait(reason);
        }
        let limit = readable(SCAN_WAIT);
        ImageDecision::Refuse(format!("{reason} {limit} after its first push"))
    }

    fn decide_without(&self, status: &str, age: Duration) -> ImageDecision {
        let reason = format!("the scan of the image has no result: {status}");
        match self.unscanned {
            Unscanned::Start => ImageDecision::Pass,
            Unscanned::Wait if age < SCAN_WAIT => ImageDecision::Wait(reason),
            Unscanned::Wait => {
                let limit = readable(SCAN_WAIT);
                ImageDecision::Refuse(format!("{reason} {limit} after its first push"))
            }
            Unscanned::Refuse => ImageDecision::Refuse(reason),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn gate(text: &str) -> ImageGate {
        serde_json::from_value(json!(text)).expect("understood")
    }

    fn completed(findings: &[(&str, &str)]) -> ImageScan {
        let finding = |(name, severity): &(&str, &str)| Finding {
            name: (*name).to_owned(),
            severity: (*severity).to_owned(),
        };
        ImageScan::Completed(findings.iter().map(finding).collect())
    }

    /// What is decided of three findings an hour after the push.
    fn decided(text: &str) -> ImageDecision {
        let scan = completed(&[
            ("CVE-2024-0001", "CRITICAL"),
            ("CVE-2024-0002", "HIGH"),
            ("CVE-2024-0003", "HIGH"),
        ]);
        gate(text).decide(&scan, Duration::from_secs(3_600))
    }

    #[test]
    fn more_findings_of_a_severity_than_allowed_refuse_an_image() {
        for passing in [
            "CRITICAL:1",
            "CRITICAL:1 HIGH:2",
            "MEDIUM:0",
            "CRITICAL:0 allow:CVE-2024-0001",
            "HIGH:1 allow:CVE-2024-0003",
        ] {
            assert_eq!(decided(passing), ImageDecision::Pass, "{passing}");
        }
        for refusing in [
            "CRITICAL:0",
            "HIGH:1 CRITICAL:0",
            "HIGH:1",
            "HIGH:0 allow:CVE-2024-0002",
            "CRITICAL:0 allow:CVE-2024-0002 unscanned:start",
        ] {
            let found = decided(refusing);
            assert!(matches!(found, ImageDecision::Refuse(_)), "{refusing}");
        }
        let reason = "the scan of the image has 2 findings of severity HIGH, such as \
            CVE-2024-0002, CVE-2024-0003; expected at most 1: push a new image, or start the \
            pipeline by hand";
        assert_eq!(decided("HIGH:1"), ImageDecision::Refuse(reason.to_owned()));
    }

    #[test]
    fn an_image_without_a_result_waits_for_it_until_the_wait_ends() {
        let after = |text: &str, secs| {
            let scan = ImageScan::Without("IN_PROGRESS".to_owned());
            gate(text).decide(&scan, Duration::from_secs(secs))
        };
        let reason = "the scan of the image has no result: IN_PROGRESS".to_owned();
        let late = format!("{reason} 12h00m after its first push");

        for waiting in ["HIGH:0", "HIGH:0 unscanned:wait"] {
            assert_eq!(after(waiting, 43_199), ImageDecision::Wait(reason.clone()));
            assert_eq!(after(waiting, 43_200), ImageDecision::Refuse(late.clone()));
        }
        assert_eq!(after("HIGH:0 unscanned:start", 1), ImageDecision::Pass);
        assert_eq!(
            after("HIGH:0 unscanned:refuse", 1),
            ImageDecision::Refuse(reason)
        );
    }

    #[test]
    fn an_image_without_a_signature_waits_for_it_until_the_wait_ends() {
        let of_signature = gate("signature:required");
        assert!(of_signature.is_set() && of_signature.needs_signature());
        assert!(!of_signature.is_about_scan());
        assert!(!gate("HIGH:0").needs_signature());

        let after = |secs| of_signature.decide_unsigned(Duration::from_secs(secs));
        let reason = "the image has no signature".to_owned();
        let late = format!("{reason} 12h00m after its first push");
        assert_eq!(after(43_199), ImageDecision::Wait(reason));
        assert_eq!(after(43_200), ImageDecision::Refuse(late));
    }

    #[test]
    fn an_image_is_too_old_once_its_age_is_beyond_the_limit() {
        let at = |secs| Timestamp::from_secs(1_767_603_600 + secs).expect("in range");
        let why = |text: &str, secs: i64| gate(text).why_too_old(at(0), at(secs));

        for none in ["", "CRITICAL:0"] {
            assert_eq!(why(none, 1_000_000_000), None);
        }
        assert_eq!(why("age:24", -1), None);
        assert_eq!(why("age:24", 86_400), None);
        let reason = "the image came into the repository at 2026-01-05T09:00:00Z, 24h00m ago; \
            expected at most 24 hours: push a new image, or start the pipeline by hand";
        assert_eq!(why("age:24", 86_401).as_deref(), Some(reason));
    }

    #[test]
    fn an_image_must_be_built_for_the_architecture_of_the_tasks() {
        let index = |listed: &[&str]| {
            let listed = listed.iter().map(|&one| one.to_owned());
            ManifestKind::Index(listed.collect())
        };
        let arm = gate("architecture:arm64");
        assert!(arm.is_set() && arm.is_about_architecture());
        assert!(!gate("HIGH:0").is_about_architecture());

        let reason = "the image is built for amd64, arm; expected arm64, the architecture of the \
            gate: push an image that is built for it";
        let why = arm.why_not_built(&index(&["amd64", "arm"]));
        assert_eq!(why.as_deref(), Some(reason));
        assert_eq!(arm.why_not_built(&index(&["amd64", "arm64"])), None);
        assert_eq!(arm.why_not_built(&ManifestKind::Image), None);
        assert_eq!(gate("HIGH:0").why_not_built(&index(&["amd64"])), None);
    }

    #[test]
    fn a_gate_that_is_not_understood_is_refused_with_what_is_expected() {
        for none in [ImageGate::default(), gate(""), gate(" ")] {
            assert!(!none.is_set());
        }
        for (text, is_about_scan) in [("LOW:10", true), ("age:24", false)] {
            assert!(gate(text).is_set(), "{text}");
            assert_eq!(gate(text).is_about_scan(), is_about_scan, "{text}");
        }

        for (wrong, why) in [
            ("HIGH", "`HIGH` is none of these"),
            ("high:0", "`high:0` is none of these"),
            ("HIGH:-1", "`HIGH:-1` is none of these"),
            ("HIGH:0 allow:", "`allow:` is none of these"),
            (
                "HIGH:0 unscanned:maybe",
                "`unscanned:maybe` is none of these",
            ),
            ("age:1d", "`age:1d` is none of these"),
            (
                "unscanned:start",
                "it has neither an age nor an architecture nor a severity nor a signature",
            ),
            ("architecture:x86", "`architecture:x86` is none of these"),
            ("signature:maybe", "`signature:maybe` is none of these"),
        ] {
            let refused = serde_json::from_value::<ImageGate>(json!(wrong)).expect_err("refused");
            let refused = refused.to_string();
            let named = format!("`image_gate` is `{wrong}`; expected age: with hours");
            assert!(refused.starts_with(&named), "{refused}");
            assert!(refused.ends_with(why), "{refused}");
        }
    }
}
