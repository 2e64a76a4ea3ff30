//! Image references of container definitions: `registry/repository:tag@digest`.

use std::fmt;

use crate::limits::{REPOSITORY_CHARS, TAG_CHARS};
use crate::partition::{PARTITIONS, Partition};
use crate::redaction::without_signatures;

const EXPECTED: &str = "expected [registry/]repository[:tag][@sha256:<64 hex digits>]";

/// The port of ECR, that of HTTPS (docs.aws.amazon.com/general/latest/gr/ecr.html).
const ECR_PORT: &str = "443";

/// Registries whose names have one dot, as the official image `rocket.chat` has. What has two is
/// the name of a host: Docker Hub has no official image of such a name
/// (github.com/docker-library/official-images).
const REGISTRIES: [&str; 7] = [
    "docker.io",
    "gcr.io",
    "ghcr.io",
    "icr.io",
    "lscr.io",
    "nvcr.io",
    "quay.io",
];

/// A parsed image reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageReference {
    /// Registry and repository, without tag and digest.
    pub name: String,
    pub tag: Option<String>,
    pub digest: Option<String>,
}

/// The repository of an image in Amazon ECR.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EcrRepository {
    pub registry_id: String,
    pub region: String,
    pub repository: String,
}

impl ImageReference {
    /// Parses a reference as Docker does: a colon after the last slash starts the tag, an at sign
    /// starts the digest (github.com/distribution/reference).
    ///
    /// # Errors
    /// If no registry could accept the reference: it is empty, a template's placeholder, an address
    /// or an ARN, or a part of it has letters that are not allowed.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty()
            || text
                .chars()
                .any(|c| c.is_whitespace() || "<>#{}\"".contains(c))
        {
            return Err(format!(
                "`{}` is not an image reference; {EXPECTED}",
                without_signatures(text)
            ));
        }
        check_form(text)?;

        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) if is_digest(digest) || is_long_digest(digest) => {
                (rest, Some(digest.to_owned()))
            }
            Some((_, digest)) => {
                return Err(format!("`{digest}` is not an image digest; {EXPECTED}"));
            }
            None => (text, None),
        };

        // A colon before the last slash belongs to the registry's port.
        let path_start = rest.rfind('/').map_or(0, |slash| slash + 1);
        let (name, tag) = match rest[path_start..].split_once(':') {
            Some((last, tag)) => (&rest[..path_start + last.len()], Some(tag.to_owned())),
            None => (rest, None),
        };

        check_name(text, name)?;
        if let Some(tag) = tag.as_deref().filter(|tag| !is_tag(tag)) {
            return Err(format!(
                "the tag of image `{text}` is `{tag}`; expected one tag of up to {TAG_CHARS} \
                 letters, digits and _.-"
            ));
        }
        Ok(Self {
            name: name.to_owned(),
            tag,
            digest,
        })
    }

    /// The ECR repository that the reference names, or `None` for another registry.
    #[must_use]
    pub fn ecr(&self) -> Option<EcrRepository> {
        let (host, repository) = self.name.split_once('/')?;
        let (registry_id, region) = ecr_host(host)?;
        Some(EcrRepository {
            registry_id: registry_id.to_owned(),
            region: region.to_owned(),
            repository: repository.to_owned(),
        })
    }

    /// The same image by its digest alone, which cannot be moved, unlike a tag.
    #[must_use]
    pub fn pinned(&self, digest: &str) -> Self {
        Self {
            name: self.name.clone(),
            tag: None,
            digest: Some(digest.to_owned()),
        }
    }
}

/// Refuses what is not a reference at all, and states what to give instead. Docker does not take a
/// digest alone for a repository (github.com/distribution/reference: `ParseNormalizedNamed`).
fn check_form(text: &str) -> Result<(), String> {
    // An address can have credentials, and a signed one is a secret itself.
    let shown = without_signatures(text);
    if let Some((scheme, rest)) = shown.split_once("://") {
        return Err(format!(
            "image `{shown}` begins with {scheme}://; expected it without: {rest}"
        ));
    }
    if text.starts_with("arn:") {
        return Err(format!(
            "image `{text}` is an ARN; {EXPECTED}, such as the repository's URI with a tag"
        ));
    }
    if is_digest(text) || is_digest(&format!("sha256:{text}")) {
        return Err(format!(
            "image `{text}` is a digest without a repository; {EXPECTED}"
        ));
    }
    Ok(())
}

/// Checks registry and repository. Only a registry may have capital letters.
fn check_name(text: &str, name: &str) -> Result<(), String> {
    let (host, path) = match name.split_once('/') {
        Some((first, rest)) if is_host(first) => (Some(first), rest),
        _ => (None, name),
    };

    let has_two_dots = path.matches('.').count() > 1 && !path.contains('/');
    if host.is_none() && (has_two_dots || REGISTRIES.contains(&name)) {
        return Err(format!(
            "image `{text}` is a registry without a repository; {EXPECTED}"
        ));
    }
    if let Some(host) = host {
        check_host(text, host)?;
    }

    if path.is_empty() || path.split('/').any(|part| !is_path_part(part)) {
        return Err(format!(
            "the repository of image `{text}` is `{path}`; expected lower-case letters, digits and \
             ._- between them"
        ));
    }
    if path.len() > REPOSITORY_CHARS {
        return Err(format!(
            "the repository of image `{text}` has {} characters; expected at most \
             {REPOSITORY_CHARS}",
            path.len()
        ));
    }
    Ok(())
}

/// Refuses a registry that no image can be pulled from, such as one with a template's placeholder
/// for the account.
fn check_host(text: &str, host: &str) -> Result<(), String> {
    let (name, port) = split_port(host);
    match ecr_parts(name) {
        Some((account, region)) if !is_account(account) || !has_region_form(region) => {
            Err(format!(
                "the registry of image `{text}` has account `{account}` and region `{region}`; \
                 expected an account of 12 digits and a region such as eu-west-1"
            ))
        }
        Some((_, region)) if !Partition::of(region).has(name) => Err(format!(
            "the registry of image `{text}` is `{host}`; expected the domain {} in {region}",
            Partition::of(region).domain
        )),
        Some(_) if port.is_some_and(|port| port != ECR_PORT) => Err(format!(
            "the registry of image `{text}` is `{host}`; expected no port or {ECR_PORT}, because \
             Amazon ECR has no other"
        )),
        // The clients of ECR find its credentials by a name in lower case
        // (github.com/awslabs/amazon-ecr-credential-helper: `api/client.go`).
        None if ecr_parts(&name.to_ascii_lowercase()).is_some() => Err(format!(
            "the registry of image `{text}` is `{host}`; expected {} for Amazon ECR",
            host.to_ascii_lowercase()
        )),
        None if !is_host_name(host) => Err(format!(
            "the registry of image `{text}` is `{host}`; expected letters and digits, with hyphens \
             and dots between them, and perhaps a port"
        )),
        _ => Ok(()),
    }
}

/// Whether the first part of a name is a registry and not the beginning of the repository.
fn is_host(part: &str) -> bool {
    part == "localhost" || part.contains(['.', ':'])
}

/// Whether a registry is a name or an IPv6 address in brackets, with or without a port, as Docker
/// takes it (github.com/distribution/reference: `domainAndPort`).
fn is_host_name(host: &str) -> bool {
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => (name, port),
        _ => (host, "0"),
    };
    let is_port = !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());

    let address = name
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let is_name = match address {
        Some("") => false,
        Some(address) => address.bytes().all(|b| b.is_ascii_hexdigit() || b == b':'),
        None => name.split('.').all(is_host_part),
    };
    is_port && is_name
}

fn is_host_part(part: &str) -> bool {
    let is_letter = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    !part.is_empty() && part.bytes().all(is_letter) && part.trim_matches('-') == part
}

/// Whether Docker takes a part of a repository's name: between its letters and digits there can be
/// a dot, one or two underscores, or any number of hyphens (github.com/distribution/reference).
fn is_path_part(part: &str) -> bool {
    let alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let is_separator =
        |text: &str| [".", "_", "__"].contains(&text) || text.bytes().all(|b| b == b'-');

    part.starts_with(alphanumeric)
        && part.ends_with(alphanumeric)
        && part.split(alphanumeric).all(is_separator)
}

fn is_tag(tag: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let bytes = tag.as_bytes();

    (1..=TAG_CHARS).contains(&bytes.len())
        && word(bytes[0])
        && bytes.iter().all(|b| word(*b) || b".-".contains(b))
}

/// Account and region of a registry of ECR.
fn ecr_host(host: &str) -> Option<(&str, &str)> {
    ecr_parts(split_port(host).0)
        .filter(|(account, region)| is_account(account) && has_region_form(region))
}

/// The name of a host that is not an address, and its port.
fn split_port(host: &str) -> (&str, Option<&str>) {
    host.split_once(':')
        .map_or((host, None), |(name, port)| (name, Some(port)))
}

pub(crate) fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

/// Whether a text has the form of the names of regions, such as `us-gov-west-1`: AWS adds regions.
#[must_use]
pub fn has_region_form(text: &str) -> bool {
    let Some((place, number)) = text.rsplit_once('-') else {
        return false;
    };
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase());

    place.contains('-')
        && place.split('-').all(is_word)
        && !number.is_empty()
        && number.bytes().all(|b| b.is_ascii_digit())
}

/// What stands for account and region in a host of ECR, which are not checked:
/// `<account>.dkr.ecr.<region>.<domain of the partition>`, or `<account>.dkr-ecr.<region>.on.aws`
/// with IPv6, both also with `ecr-fips`.
fn ecr_parts(host: &str) -> Option<(&str, &str)> {
    let (account, rest) = host.split_once('.')?;
    let (rest, is_dual_stack) = match rest.strip_prefix("dkr.") {
        Some(rest) => (rest, false),
        None => (rest.strip_prefix("dkr-")?, true),
    };
    let (kind, rest) = rest.split_once('.')?;
    let (region, domain) = rest.split_once('.')?;

    let domain_of = |partition: &Partition| {
        if is_dual_stack {
            partition.dual_stack
        } else {
            Some(partition.domain)
        }
    };
    let mut all = PARTITIONS.iter();
    let is_of_aws = all.any(|partition| domain_of(partition) == Some(domain));
    (["ecr", "ecr-fips"].contains(&kind) && is_of_aws).then_some((account, region))
}

impl fmt::Display for ImageReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

/// Whether a text is `sha256:` and 64 lower-case hexadecimal digits.
#[must_use]
pub fn is_digest(text: &str) -> bool {
    text.strip_prefix("sha256:")
        .is_some_and(|hex| hex.len() == 64 && is_lower_hex(hex))
}

/// The other digest that registries know (github.com/opencontainers/image-spec: `descriptor.md`).
fn is_long_digest(text: &str) -> bool {
    text.strip_prefix("sha512:")
        .is_some_and(|hex| hex.len() == 128 && is_lower_hex(hex))
}

/// Whether a text has hexadecimal digits alone, in small letters.
#[must_use]
pub fn is_lower_hex(text: &str) -> bool {
    text.bytes()
        .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

/// A digest short enough for a message: `sha256:0123456789ab`.
#[must_use]
pub fn short_digest(digest: &str) -> &str {
    digest.get(..19).unwrap_or(digest)
}

#[cfg(test)]
mod tests;
