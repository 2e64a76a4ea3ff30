//! What becomes of the claim of a digest that an execution rolls back, so that no later push brings
//! the digest back by itself.

use super::Push;
use crate::timestamp::Timestamp;

/// What to do with the claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// It leads to the execution and never expires.
    Recorded,
    /// It is to lead to the execution, and not to expire.
    Record,
    /// The same, if the release of this execution has not begun, which another push of the digest
    /// started. One that has begun ends by itself.
    RecordInPlaceOf(String),
    /// Another invocation may be starting an execution for it: look again.
    Unknown,
}

impl Rejection {
    #[must_use]
    pub fn of(claim: &Push, execution: &str, now: Timestamp) -> Self {
        if claim.execution.as_deref() == Some(execution) {
            return if claim.expires_at.is_some() {
                Self::Record
            } else {
                Self::Recorded
            };
        }

        match &claim.execution {
            Some(other) => Self::RecordInPlaceOf(other.clone()),
            None if claim.may_be_starting(now) => Self::Unknown,
            None => Self::Record,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::push::tests::claim;
    use super::*;
    use crate::timestamp::at;

    #[test]
    fn the_claim_that_led_to_the_execution_is_kept_once() {
        let of = |expires_at| {
            let claim = Push {
                expires_at,
                ..claim(Some("e-1"))
            };
            Rejection::of(&claim, "e-1", at(0))
        };
        assert_eq!(of(Some(1_802_163_600)), Rejection::Record);
        assert_eq!(of(None), Rejection::Recorded);
    }

    #[test]
    fn a_claim_that_leads_to_another_execution_is_kept_in_place_of_that() {
        let of = Rejection::of(&claim(Some("e-2")), "e-1", at(0));
        assert_eq!(of, Rejection::RecordInPlaceOf("e-2".to_owned()));
    }

    #[test]
    fn a_claim_that_led_to_nothing_is_kept_once_no_invocation_can_start_anything() {
        let of = |claim: &Push, secs| Rejection::of(claim, "e-1", at(secs));
        assert_eq!(of(&claim(None), 59), Rejection::Unknown);
        assert_eq!(of(&claim(None), 60), Rejection::Record);

        let refused = Push {
            refusal: Some("superseded".to_owned()),
            ..claim(None)
        };
        assert_eq!(of(&refused, 0), Rejection::Record);
    }
}
