//! Image references of container definitions: `registry/repository:tag@digest`.

use std::fmt;

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
    /// starts the digest.
    ///
    /// # Errors
    /// If the text is not a reference: empty, with white space, a template's placeholder, or with
    /// an invalid digest.
    pub fn parse(text: &str) -> Result<Self, String> {
        const EXPECTED: &str = "expected [registry/]repository[:tag][@sha256:<64 hex digits>]";

        if text.is_empty()
            || text
                .chars()
                .any(|c| c.is_whitespace() || "<>#{}\"".contains(c))
        {
            return Err(format!("`{text}` is not an image reference; {EXPECTED}"));
        }

        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) if is_digest(digest) => (rest, Some(digest.to_owned())),
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

        if name.is_empty() || name.ends_with('/') || tag.as_deref() == Some("") {
            return Err(format!("`{text}` is not an image reference; {EXPECTED}"));
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

        let mut labels = host.split('.');
        let registry_id = labels
            .next()
            .filter(|id| id.len() == 12 && id.bytes().all(|b| b.is_ascii_digit()))?;
        let kind = (labels.next()?, labels.next()?);
        let region = matches!(kind, ("dkr", "ecr" | "ecr-fips"))
            .then(|| labels.next())
            .flatten()?;
        host.contains(".amazonaws.com").then(|| EcrRepository {
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
    text.strip_prefix("sha256:")
        .is_some_and(|hex| hex.len() == 64 && hex.bytes().all(lower_hex))
}

/// A digest short enough for a message: `sha256:0123456789ab`.
#[must_use]
pub fn short_digest(digest: &str) -> &str {
    digest.get(..19).unwrap_or(digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> ImageReference {
        ImageReference::parse(text).expect("a valid reference")
    }

    #[test]
    fn a_port_is_not_a_tag() {
        assert_eq!(parsed("localhost:5000/web").tag, None);
        assert_eq!(parsed("localhost:5000/web:1").tag.as_deref(), Some("1"));
        assert_eq!(parsed("redis").name, "redis");
    }

    #[test]
    fn every_part_of_a_reference_is_parsed() {
        let digest = format!("sha256:{}", "0a".repeat(32));

        let reference = |name: &str, tag: Option<&str>, digest: Option<&str>| ImageReference {
            name: name.to_owned(),
            tag: tag.map(ToOwned::to_owned),
            digest: digest.map(ToOwned::to_owned),
        };

        assert_eq!(parsed("web"), reference("web", None, None));
        assert_eq!(
            parsed("a.b:5000/team/web:1.0"),
            reference("a.b:5000/team/web", Some("1.0"), None)
        );
        assert_eq!(
            parsed(&format!("a.b/web:1.0@{digest}")),
            reference("a.b/web", Some("1.0"), Some(digest.as_str()))
        );
        assert_eq!(
            parsed(&format!("web@{digest}")),
            reference("web", None, Some(digest.as_str()))
        );
    }

    #[test]
    fn a_pinned_image_is_its_digest_alone() {
        let old = format!("sha256:{}", "0a".repeat(32));
        let new = format!("sha256:{}", "0b".repeat(32));
        let pinned = parsed(&format!("a.b/web:1.0@{old}")).pinned(&new);
        assert_eq!(pinned.to_string(), format!("a.b/web@{new}"));
        assert_eq!(pinned.tag, None);
    }

    #[test]
    fn a_digest_is_sha256_and_64_lower_case_digits() {
        let digits = "0123456789abcdef".repeat(4);

        assert!(is_digest(&format!("sha256:{digits}")));

        for text in [
            digits.clone(),
            format!("sha512:{digits}"),
            format!("sha256:{}", &digits[1..]),
            format!("sha256:{digits}0"),
            format!("sha256:{}", digits.to_uppercase()),
            format!("sha256:g{}", &digits[1..]),
            "sha256:".to_owned(),
        ] {
            assert!(!is_digest(&text), "{text}");
        }
    }

    #[test]
    fn a_short_digest_has_12_digits() {
        let digest = format!("sha256:{}", "0123456789abcdef".repeat(4));
        assert_eq!(short_digest(&digest), "sha256:0123456789ab");
        assert_eq!(short_digest("sha256:01"), "sha256:01");
    }

    #[test]
    fn references_round_trip() {
        let digest = format!("sha256:{}", "0a".repeat(32));

        for text in [
            "redis",
            "redis:7",
            "public.ecr.aws/nginx/nginx:1",
            &format!("a.b/c:1@{digest}"),
        ] {
            assert_eq!(parsed(text).to_string(), *text);
        }
    }

    #[test]
    fn only_hosts_of_ecr_are_ecr() {
        let ecr = parsed("111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/web:1")
            .ecr()
            .expect("an ECR image");

        assert_eq!(
            (ecr.region.as_str(), ecr.repository.as_str()),
            ("eu-west-1", "team/web")
        );
        assert_eq!(parsed("public.ecr.aws/nginx/nginx").ecr(), None);
        assert_eq!(parsed("wercker/api").ecr(), None);

        let place = |registry: &str, region: &str, repository: &str| {
            Some(EcrRepository {
                registry_id: registry.to_owned(),
                region: region.to_owned(),
                repository: repository.to_owned(),
            })
        };

        let china = parsed("111122223333.dkr.ecr.cn-north-1.amazonaws.com.cn/web").ecr();

        assert_eq!(china, place("111122223333", "cn-north-1", "web"));

        let fips = parsed("111122223333.dkr.ecr-fips.us-east-1.amazonaws.com/web:1").ecr();

        assert_eq!(fips, place("111122223333", "us-east-1", "web"));

        for other in [
            "11112222333.dkr.ecr.eu-west-1.amazonaws.com/web",
            "1111222233334.dkr.ecr.eu-west-1.amazonaws.com/web",
            "11112222333a.dkr.ecr.eu-west-1.amazonaws.com/web",
            "111122223333.dkr.ecs.eu-west-1.amazonaws.com/web",
            "111122223333.dkx.ecr.eu-west-1.amazonaws.com/web",
            "111122223333.dkr.ecr.eu-west-1.example.com/web",
        ] {
            assert_eq!(parsed(other).ecr(), None, "{other}");
        }
    }

    #[test]
    fn invalid_references_are_refused() {
        let twice = format!("web@sha256:{0}@sha256:{0}", "0a".repeat(32));

        for text in [
            "",
            "<IMAGE1_NAME>",
            "a b",
            "web@sha256:12",
            "web:",
            "#{Image.ImageURI}",
            "web/",
            ":1",
            &twice,
        ] {
            assert!(ImageReference::parse(text).is_err(), "{text} was accepted");
        }
    }
}
