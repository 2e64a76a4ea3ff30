//! Temporary credentials of sessions, as STS issues them. They act as the session's role, in the
//! account of the role, until they expire.

use super::Session;
use crate::{Aws, Millis, Request};

/// The credentials of one session.
#[derive(Clone, Debug)]
pub(crate) struct Temporary {
    /// `ASIA…`.
    pub(crate) access_key_id: String,
    pub(crate) secret_access_key: String,
    pub(crate) session_token: String,
    /// A whole second.
    pub(crate) expires: Millis,
    pub(super) session: Session,
}

/// Issues credentials of a session that are good for this many seconds.
pub(crate) fn issue(aws: &mut Aws, session: Session, seconds: i64) -> Temporary {
    let second = aws.now - aws.now.rem_euclid(1000);
    let credentials = Temporary {
        access_key_id: format!("ASIA{}", aws.hex(16).to_uppercase()),
        secret_access_key: format!("NotASecret/{}", aws.hex(29)),
        session_token: format!("IQoJb3JpZ2luX2Vj{}", aws.hex(64)),
        expires: second + seconds * 1000,
        session,
    };
    aws.iam
        .temporary
        .insert(credentials.access_key_id.clone(), credentials.clone());
    credentials
}

/// The other account whose credentials signed a request, if they are not this one's. An operator
/// takes the id of an account for the access key id of an administrator there, which does not exist
/// on AWS.
pub(crate) fn other_account(aws: &Aws, request: &Request) -> Option<String> {
    let key = request.access_key()?;
    let mut others = aws.others.values();
    let issuer =
        others.find(|other| other.account == key || other.iam.temporary.contains_key(&key));
    issuer.map(|other| other.account.clone())
}
