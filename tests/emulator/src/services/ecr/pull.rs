//! What a task pulls: the image that a full reference means, in the registry of any account.

use serde_json::{Value, json};

use super::{Behaviour, Image, Profile, Repository, registry_host};
use crate::Aws;
use crate::iam::{self, Demand};

/// A full reference to an image of a registry of the sandbox.
struct Reference<'a> {
    /// The account of the registry.
    home: &'a Aws,
    host: &'a str,
    name: &'a str,
    /// With a digest the tag is only decoration, and without both it is `latest`.
    id: Value,
}

impl<'a> Reference<'a> {
    /// Nothing for an image of another registry.
    fn read(aws: &'a Aws, image: &'a str) -> Option<Self> {
        let (host, path) = image.split_once('/')?;
        let mut accounts = aws.others.values().chain([aws]);
        let home = accounts.find(|home| is_registry_of(home, host))?;

        let (path, digest) = path
            .split_once('@')
            .map_or((path, None), |(path, digest)| (path, Some(digest)));
        let (name, tag) = path
            .split_once(':')
            .map_or((path, None), |(name, tag)| (name, Some(tag)));
        let id = match digest {
            Some(digest) => json!({ "imageDigest": digest }),
            None => json!({ "imageTag": tag.unwrap_or("latest") }),
        };
        Some(Self {
            home,
            host,
            name,
            id,
        })
    }

    fn repository(&self) -> Option<&'a Repository> {
        self.home.ecr.repositories.get(self.name)
    }

    fn image(&self) -> Option<&'a Image> {
        let repository = self.repository()?;
        repository.images.get(repository.find(&self.id)?)
    }

    /// The digest or the tag.
    fn version(&self) -> &str {
        let digest = self.id["imageDigest"].as_str();
        digest
            .or_else(|| self.id["imageTag"].as_str())
            .unwrap_or_default()
    }

    /// Whether a role of an account may pull it: those of other accounts need the policy of the
    /// repository.
    fn is_open_to(&self, aws: &Aws, role: &str) -> bool {
        if self.home.account == aws.account {
            return true;
        }
        self.repository().is_none_or(|repository| {
            let demand = Demand::new("ecr:BatchGetImage", repository.arn.as_str());
            iam::is_shared_with(repository.policy.as_ref(), role, &aws.account, &demand)
        })
    }
}

/// Whether a host is the registry of an account, by either of its names.
fn is_registry_of(home: &Aws, host: &str) -> bool {
    let dual_stack = || format!("{}.dkr-ecr.{}.on.aws", home.account, home.region);
    host == registry_host(home) || host == dual_stack()
}

/// The behaviour of `image` (a full reference as in a container definition), or why it cannot be
/// pulled with the execution role `role`. What the policies of that role allow is not looked at.
pub(crate) fn behaviour(aws: &Aws, image: &str, role: &str) -> Result<Behaviour, String> {
    let Some(reference) = Reference::read(aws, image) else {
        return Ok(Behaviour::Healthy);
    };
    let failed = |why: &str| {
        format!(
            "CannotPullContainerError: pull image manifest has been retried 1 time(s): \
             failed to resolve ref {image}: {why}"
        )
    };
    if !reference.is_open_to(aws, role) {
        return Err(failed(&format!(
            "pulling from host {} failed with status code [manifests {}]: 403 Forbidden",
            reference.host,
            reference.version()
        )));
    }

    reference
        .image()
        .filter(|image| !image.archived)
        .map(|image| image.behaviour)
        .ok_or_else(|| failed(&format!("{image}: not found")))
}

/// How tasks that run `image` respond; the default for images of other registries and deleted ones.
pub(crate) fn profile(aws: &Aws, image: &str) -> Profile {
    Reference::read(aws, image)
        .and_then(|reference| reference.image())
        .map(|image| image.profile)
        .unwrap_or_default()
}
