//! Image references as container definitions hold them: `registry/repository:tag@digest`.

use std::fmt;

/// A parsed image reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageReference {
    /// Registry and repository, without tag and digest.
    pub name: String,
    pub tag: Option<String>,
    pub digest: Option<String>,
}

/// Where an image lies in Amazon ECR.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EcrRepository {
    pub registry_id: String,
    pub region: String,
    pub repository: String,
}

impl ImageReference {
    /// Splits a reference as Docker does: a colon after the last slash starts the tag, an at sign starts the digest.
    ///
    /// # Errors
    /// Says what is wrong when the text cannot be a reference (empty, white space, a template placeholder, bad digest).
    pub fn parse(text: &str) -> Result<Self, String> {
        let legal = "legal: [registry/]repository[:tag][@sha256:<64 hex digits>]";
        if text.is_empty() || text.chars().any(|c| c.is_whitespace() || "<>#{}\"".contains(c)) {
            return Err(format!("`{text}` is not an image reference; {legal}"));
        }
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) if is_digest(digest) => (rest, Some(digest.to_owned())),
            Some((_, digest)) => return Err(format!("`{digest}` is not an image digest; {legal}")),
            None => (text, None),
        };
        let path_start = rest.rfind('/').map_or(0, |slash| slash + 1);
        let (name, tag) = match rest[path_start..].split_once(':') {
            Some((last, tag)) => (&rest[..path_start + last.len()], Some(tag.to_owned())),
            None => (rest, None),
        };
        if name.is_empty() || name.ends_with('/') || tag.as_deref() == Some("") {
            return Err(format!("`{text}` is not an image reference; {legal}"));
        }
        Ok(Self { name: name.to_owned(), tag, digest })
    }

    /// The ECR repository that the reference names, or `None` for another registry.
    #[must_use]
    pub fn ecr(&self) -> Option<EcrRepository> {
        let (host, repository) = self.name.split_once('/')?;
        let mut labels = host.split('.');
        let registry_id = labels.next().filter(|id| id.len() == 12 && id.bytes().all(|b| b.is_ascii_digit()))?;
        let kind = (labels.next()?, labels.next()?);
        let region = matches!(kind, ("dkr", "ecr" | "ecr-fips")).then(|| labels.next()).flatten()?;
        host.contains(".amazonaws.com").then(|| EcrRepository {
            registry_id: registry_id.to_owned(),
            region: region.to_owned(),
            repository: repository.to_owned(),
        })
    }

    /// The same image by its digest alone, which cannot be moved as a tag can.
    #[must_use]
    pub fn pinned(&self, digest: &str) -> Self {
        Self { name: self.name.clone(), tag: None, digest: Some(digest.to_owned()) }
    }
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
    let lower_hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    text.strip_prefix("sha256:").is_some_and(|hex| hex.len() == 64 && hex.bytes().all(lower_hex))
}

/// A digest short enough for a sentence: `sha256:0123456789ab`.
#[must_use]
pub fn short(digest: &str) -> &str {
    digest.get(..19).unwrap_or(digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> ImageReference {
        ImageReference::parse(text).expect("a legal reference")
    }

    #[test]
    fn a_port_is_not_a_tag() {
        assert_eq!(parsed("localhost:5000/web").tag, None);
        assert_eq!(parsed("localhost:5000/web:1").tag.as_deref(), Some("1"));
        assert_eq!(parsed("redis").name, "redis");
    }

    #[test]
    fn references_round_trip() {
        let digest = format!("sha256:{}", "0a".repeat(32));
        for text in ["redis", "redis:7", "public.ecr.aws/nginx/nginx:1", &format!("a.b/c:1@{digest}")] {
            assert_eq!(parsed(text).to_string(), *text);
        }
    }

    #[test]
    fn ecr_is_told_from_other_registries() {
        let ecr = parsed("111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/web:1").ecr().expect("an ECR image");
        assert_eq!((ecr.region.as_str(), ecr.repository.as_str()), ("eu-west-1", "team/web"));
        assert_eq!(parsed("public.ecr.aws/nginx/nginx").ecr(), None);
        assert_eq!(parsed("wercker/api").ecr(), None);
    }

    #[test]
    fn what_is_not_a_reference_is_refused() {
        for text in ["", "<IMAGE1_NAME>", "a b", "web@sha256:12", "web:", "#{Image.ImageURI}", "web/"] {
            assert!(ImageReference::parse(text).is_err(), "{text} was taken");
        }
    }
}
