//! What the names that people give mean: services, pipelines and executions.

use slipway::aws::Listing;
use slipway::image::is_lower_hex;
use slipway::observed::service::short_name;
use slipway::release::Lease;

use crate::words::name_of;
use crate::{Failed, Session};

/// How many names an error lists.
const NAMED: usize = 10;

/// The lease of a service or of a pair, named `cluster/service`, or `service` if that is in one
/// cluster only.
///
/// # Errors
/// If the ledger has none, or several.
pub(crate) fn named<'a>(listing: &'a Listing, name: &str) -> Result<&'a Lease, Failed> {
    let is_named = |lease: &&Lease| {
        let service = short_name(&lease.service);
        match name.split_once('/') {
            Some((cluster, wanted)) => lease.cluster_name() == cluster && service == wanted,
            None => service == name,
        }
    };
    let found: Vec<&Lease> = listing.leases.iter().filter(is_named).collect();
    match found.as_slice() {
        [lease] => Ok(*lease),
        [] => Err(Failed::Refused(format!(
            "the ledger has no service `{name}`; expected one that was released: {}",
            names(listing.leases.iter())
        ))),
        several => Err(Failed::Refused(format!(
            "`{name}` is a service of several clusters; expected one of {}",
            names(several.iter().copied())
        ))),
    }
}

/// The lease of a service, read anew.
///
/// # Errors
/// As of [`named`], and when a call fails.
pub(crate) async fn lease(session: &Session, name: &str) -> Result<Lease, Failed> {
    let listing = session.ledger().leases().await?;
    named(&listing, name).cloned()
}

fn names<'a>(leases: impl Iterator<Item = &'a Lease>) -> String {
    let mut names: Vec<String> = leases.map(name_of).collect();
    names.sort();
    let more = names.len().saturating_sub(NAMED);
    names.truncate(NAMED);
    match (names.is_empty(), more) {
        (true, _) => "there is none".to_owned(),
        (false, 0) => names.join(", "),
        (false, more) => format!("{} and {more} more", names.join(", ")),
    }
}

/// Whether a text has the form of the ids of executions: 32 hexadecimal digits in five groups.
#[must_use]
pub(crate) fn is_execution(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    let is_hex = |group: &&str| group.bytes().all(|byte| byte.is_ascii_hexdigit());
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12]) && groups.iter().all(is_hex)
}

/// The beginning of a digest as the ledger has it, of a digest or of its first seven digits or
/// more, with or without `sha256:`.
#[must_use]
pub(crate) fn digest_prefix(text: &str) -> Option<String> {
    let hex = text.strip_prefix("sha256:").unwrap_or(text);
    ((7..=64).contains(&hex.len()) && is_lower_hex(hex)).then(|| format!("sha256:{hex}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(names: &[(&str, &str)]) -> Listing {
        let leases = names
            .iter()
            .map(|(cluster, service)| Lease::unwritten(cluster, service));
        Listing {
            leases: leases.collect(),
            ..Listing::default()
        }
    }

    #[test]
    fn a_service_is_found_by_its_name_and_by_its_cluster_if_there_are_several() {
        let arn = "arn:aws:ecs:eu-west-1:111122223333:cluster/apps";
        let listing = listing(&[(arn, "web"), ("apps", "shop"), ("ci", "shop")]);
        let service = |name: &str| {
            named(&listing, name)
                .map(name_of)
                .map_err(|e| e.to_string())
        };

        assert_eq!(service("web").as_deref(), Ok("apps/web"));
        assert_eq!(service("ci/shop").as_deref(), Ok("ci/shop"));
        assert_eq!(
            service("shop").unwrap_err(),
            "`shop` is a service of several clusters; expected one of apps/shop, ci/shop"
        );
        assert_eq!(
            service("api").unwrap_err(),
            "the ledger has no service `api`; expected one that was released: apps/shop, apps/web, \
             ci/shop"
        );
    }

    #[test]
    fn executions_and_digests_have_different_forms() {
        assert!(is_execution("0b6f9c1e-5f0c-4c56-9f5e-2f1f3f0a7c11"));
        assert!(!is_execution("0b6f9c1e5f0c4c569f5e2f1f3f0a7c11"));
        assert!(!is_execution("slipway-web"));

        let digest = format!("sha256:{}", "0a".repeat(32));
        assert_eq!(digest_prefix(&digest), Some(digest));
        assert_eq!(digest_prefix("db15ba1").as_deref(), Some("sha256:db15ba1"));
        for other in ["db15b", "web", "DB15BA1", "sha512:db15ba1", "1.4.0"] {
            assert_eq!(digest_prefix(other), None, "{other}");
        }
    }
}
