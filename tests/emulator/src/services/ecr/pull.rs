//! What a task pulls: the image that a full reference means, in the registry of any account.

use serde_json::{Value, json};

use super::{Behaviour, Image, Profile, Repository, cache, content, registry_host};
use crate::Aws;
use crate::iam::{self, Demand};

/// A full reference to an image of a registry of the sandbox.
pub(super) struct Reference<'a> {
    /// The account of the registry.
    pub(super) home: &'a Aws,
    host: &'a str,
    port: Option<&'a str>,
    pub(super) name: &'a str,
    /// With a digest the tag is only decoration, and without both it is `latest`.
    pub(super) id: Value,
}

impl<'a> Reference<'a> {
    /// Nothing for an image of another registry.
    pub(super) fn read(aws: &'a Aws, image: &'a str) -> Option<Self> {
        let (host, path) = image.split_once('/')?;
        let (host, port) = host
            .split_once(':')
            .map_or((host, None), |(host, port)| (host, Some(port)));
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
            port,
            name,
            id,
        })
    }

    pub(super) fn repository(&self) -> Option<&'a Repository> {
        self.home.ecr.repositories.get(self.name)
    }

    pub(super) fn image(&self) -> Option<&'a Image> {
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
    /// repository and their own, those of the same one either.
    fn is_open_to(&self, aws: &Aws, role: &str) -> bool {
        self.repository().is_none_or(|repository| {
            let demand = Demand::new("ecr:BatchGetImage", repository.arn.as_str());
            let policy = repository.policy.as_ref();

            if self.home.account == aws.account {
                iam::is_open_within(aws, policy, role, &demand)
            } else {
                iam::is_open_within(aws, None, role, &demand)
                    && iam::is_shared_with(policy, role, aws, &demand)
            }
        })
    }
}

/// Whether a host is the registry of an account, by either of its names.
fn is_registry_of(home: &Aws, host: &str) -> bool {
    let dual_stack = home.partition().dual_stack;
    let is_dual_stack =
        |domain: &str| host == format!("{}.dkr-ecr.{}.{domain}", home.account, home.region);
    host == registry_host(home) || dual_stack.is_some_and(is_dual_stack)
}

/// As [`behaviour`], of a task that pulls the image: a pull through cache imports what it lacks.
pub(crate) fn pulled(aws: &mut Aws, image: &str, role: &str) -> Result<Behaviour, String> {
    cache::import(aws, image, role);
    behaviour(aws, image, role)
}

/// The behaviour of `image` (a full reference as in a container definition), or why it cannot be
/// pulled with the execution role `role`.
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
    if let Some(port) = reference.port.filter(|port| *port != "443") {
        return Err(failed(&format!(
            "failed to do request: Head \"https://{}:{port}/v2/{}/manifests/{}\": dial tcp: i/o \
             timeout",
            reference.host,
            reference.name,
            reference.version()
        )));
    }
    if !reference.is_open_to(aws, role) {
        return Err(failed(&format!(
            "pulling from host {} failed with status code [manifests {}]: 403 Forbidden",
            reference.host,
            reference.version()
        )));
    }

    let found = reference.image().filter(|image| !image.archived);
    let found = found.ok_or_else(|| failed(&format!("{image}: not found")))?;
    match content::unsupported(&found.manifest) {
        Some(kind) => Err(failed(&format!("unsupported media type {kind}"))),
        None => Ok(found.behaviour),
    }
}

/// How tasks that run `image` respond; the default for images of other registries and deleted ones.
pub(crate) fn profile(aws: &Aws, image: &str) -> Profile {
    Reference::read(aws, image)
        .and_then(|reference| reference.image())
        .map(|image| image.profile)
        .unwrap_or_default()
}
