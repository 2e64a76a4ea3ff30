//! What ECR has of an image that a service runs, and of those of a repository.

use crate::manifest::Manifest;
use crate::timestamp::Timestamp;

/// An image of a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepositoryImage {
    pub digest: String,
    /// When it came into the repository first. Another tag does not change it.
    pub first_pushed_at: Timestamp,
    /// What its manifest is, with all tags of it.
    pub manifest: Manifest,
}

/// The scan of an image for vulnerabilities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImageScan {
    /// It has completed, and found these.
    Completed(Vec<Finding>),
    /// There is no result, for a status of Amazon ECR.
    Without(String),
}

/// A vulnerability that a scan has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Usually the number of a CVE.
    pub name: String,
    pub severity: String,
}

/// Why Amazon ECS could not pull an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotPullable {
    /// ECR has no such repository or image. A pull through cache imports it when it is pulled.
    Missing,
    /// It is in the archive; the command that restores it.
    Archived(String),
}

/// Why a revision could not be deployed again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotDeployable {
    /// It does not exist any more. One that is INACTIVE can be registered again.
    Revision,
    /// One of its containers has an image that cannot be pulled.
    Image {
        container: String,
        image: String,
        why: NotPullable,
    },
}

impl NotPullable {
    /// What was found of `image`, and what gets out of it.
    #[must_use]
    pub fn explained(&self, image: &str) -> (&'static str, String) {
        match self {
            // A pull through cache does not import images by digest.
            Self::Missing if image.contains('@') => {
                ("missing in Amazon ECR", "push it again".to_owned())
            }
            Self::Missing => (
                "missing in Amazon ECR",
                format!(
                    "push it again, or let a pull through cache import it: docker pull {image}"
                ),
            ),
            Self::Archived(restore) => ("archived", format!("restore it: {restore}")),
        }
    }
}
