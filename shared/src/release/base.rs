//! Which revisions a release may be made from.

use super::Record;

/// Whether a release may be made from a revision, by the record of the execution that registered
/// it, if it has one. An execution without a record is not one of this ledger.
#[must_use]
pub fn may_be_base(record: Option<&Record>, revision: &str) -> bool {
    record.is_none_or(|record| record.vouches_for(revision))
}

/// Whether a release, by its record, deployed a revision.
#[must_use]
pub fn was_deployed(record: Option<&Record>, revision: &str) -> bool {
    record.is_some_and(|record| record.deployed(revision))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::release::Outcome;
    use crate::timestamp::Timestamp;

    #[test]
    fn a_revision_is_no_base_as_long_as_its_release_does_not_vouch_for_it() {
        let now = Timestamp::from_secs(1_767_603_600).expect("in range");
        let started = Record::started("e-1", "slipway-web", None, now);
        let closed = |outcome| started.clone().closed(outcome, "because", now);

        assert!(may_be_base(None, "web:9"));
        assert!(may_be_base(Some(&closed(Outcome::Deployed)), "web:9"));
        assert!(!may_be_base(Some(&closed(Outcome::RolledBack)), "web:9"));
        assert!(!may_be_base(Some(&started), "web:9"));
    }
}
