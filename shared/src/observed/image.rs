//! What ECR has of an image that a service runs.

/// Why Amazon ECS could not pull an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotPullable {
    /// ECR has no such repository or image. A pull through cache imports it when it is pulled.
    Missing,
    /// It is in the archive; the command that restores it.
    Archived(String),
}
