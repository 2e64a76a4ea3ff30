//! Who registered a revision. A mark alone does not show it: tags are copied with a revision, by
//! the console (sil-org/ecs-deploy, issue 212) and by tools (there, pull request 217).
//!
//! Never takes a revision for a release's own that another principal registered.

use super::Mark;

/// A revision with a mark.
#[derive(Clone, Debug)]
pub(crate) struct Marked {
    pub(crate) arn: String,
    pub(crate) mark: Mark,
    /// The ARN of the principal that registered it. ECS does not promise it.
    pub(crate) registrant: Option<String>,
}

/// Those of the revisions with the marks of one execution, newest first, that its release
/// registered: under its deploy role `role`. Without one it was the function's own role, which is
/// that of the first revision with the same mark: a copy is registered after what it is made from.
pub(crate) fn own(marked: Vec<Marked>, role: Option<&str>) -> Vec<(String, Mark)> {
    let expected = |one: &Marked| match role {
        Some(role) => Some(session_prefix(role)),
        None => {
            let mut oldest_first = marked.iter().rev();
            let first = oldest_first.find(|first| first.mark == one.mark)?;
            first
                .registrant
                .as_deref()
                .map(principal)
                .map(str::to_owned)
        }
    };
    let is_own = |one: &Marked| match (&one.registrant, expected(one)) {
        (Some(registrant), Some(expected)) => principal(registrant) == expected,
        _ => true,
    };

    let is_own: Vec<bool> = marked.iter().map(is_own).collect();
    marked
        .into_iter()
        .zip(is_own)
        .filter(|(_, is_own)| *is_own)
        .map(|(one, _)| (one.arn, one.mark))
        .collect()
}

/// The ARN of a principal, without the name of a session.
fn principal(arn: &str) -> &str {
    match arn.rsplit_once('/') {
        Some((role, _)) if role.contains(":assumed-role/") => role,
        _ => arn,
    }
}

/// What the ARNs of a role's sessions have before the name of the session: the role's name without
/// its path (docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html).
fn session_prefix(role: &str) -> String {
    let parts: Vec<&str> = role.splitn(6, ':').collect();
    let [_, partition, _, _, account, name] = parts[..] else {
        return role.to_owned();
    };
    let name = name.rsplit('/').next().unwrap_or(name);
    format!("arn:{partition}:sts::{account}:assumed-role/{name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROLE: &str = "arn:aws:iam::111122223333:role/teams/deploy";
    const SESSION: &str = "arn:aws:sts::111122223333:assumed-role/deploy/slipway-web";
    const USER: &str = "arn:aws:iam::111122223333:user/jane";

    fn marked(revision: u32, sent: &str, registrant: Option<&str>) -> Marked {
        Marked {
            arn: format!("web:{revision}"),
            mark: Mark {
                execution: "e-1".to_owned(),
                sent: sent.to_owned(),
            },
            registrant: registrant.map(ToOwned::to_owned),
        }
    }

    fn arns(marked: &[Marked], role: Option<&str>) -> Vec<String> {
        let own = own(marked.to_vec(), role);
        own.into_iter().map(|(arn, _)| arn).collect()
    }

    #[test]
    fn under_a_deploy_role_its_sessions_registered_what_is_own() {
        let all = [
            marked(7, "a", None),
            marked(
                6,
                "a",
                Some("arn:aws:sts::111122223333:assumed-role/deployer/slipway-web"),
            ),
            marked(
                5,
                "a",
                Some("arn:aws:sts::444455556666:assumed-role/deploy/slipway-web"),
            ),
            marked(
                4,
                "a",
                Some("arn:aws:sts::111122223333:assumed-role/deploy/another"),
            ),
            marked(3, "a", Some(SESSION)),
            marked(2, "b", Some(USER)),
        ];
        assert_eq!(arns(&all, Some(ROLE)), ["web:7", "web:4", "web:3"]);
    }

    #[test]
    fn without_a_role_the_first_with_a_mark_shows_who_registers_for_the_release() {
        let step = "arn:aws:sts::111122223333:assumed-role/register/slipway-register";
        let restoring = "arn:aws:sts::111122223333:assumed-role/roll-back/slipway-roll-back";
        let all = [
            marked(7, "b", Some(restoring)),
            marked(6, "a", Some(USER)),
            marked(5, "a", Some(step)),
            marked(4, "a", None),
            marked(3, "a", Some(step)),
        ];
        assert_eq!(arns(&all[..3], None), ["web:7", "web:5"]);
        assert_eq!(arns(&all, None), ["web:7", "web:5", "web:4", "web:3"]);

        let others = "arn:aws:iam::111122223333:user/console";
        let by_users = [marked(4, "a", Some(others)), marked(3, "a", Some(USER))];
        assert_eq!(arns(&by_users, None), ["web:3"]);

        let unknown = [marked(4, "a", Some(USER)), marked(3, "a", None)];
        assert_eq!(arns(&unknown, None), ["web:4", "web:3"]);
        assert_eq!(arns(&[], None), [""; 0]);
    }
}
