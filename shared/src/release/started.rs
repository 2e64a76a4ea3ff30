//! The mark of an execution whose release has not begun, by which the sweep finds it.

use serde::{Deserialize, Serialize};

use super::{DeployRole, Record};
use crate::timestamp::Timestamp;

/// An execution that was started and whose release has neither begun nor ended: the sweep checks
/// whether it has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Started {
    pub v: u32,
    pub execution: String,
    pub pipeline: String,
    /// The role under which the execution's status is read; none for the functions' own
    /// credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deploy_role: Option<DeployRole>,
    /// Since when STS refuses that role; none while it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread_since: Option<Timestamp>,
}

impl Started {
    #[must_use]
    pub fn from_record(record: &Record) -> Self {
        Self {
            v: record.v,
            execution: record.execution.clone(),
            pipeline: record.pipeline.clone(),
            deploy_role: record.deploy_role.clone(),
            unread_since: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn started() -> Record {
        let now = Timestamp::from_secs(1_767_603_600).expect("in range");
        Record::started("e-1", "slipway-web", Some("sha256:00"), now)
    }

    #[test]
    fn the_mark_of_a_started_execution_names_it_and_its_pipeline() {
        let mark = Started {
            v: 1,
            execution: "e-1".to_owned(),
            pipeline: "slipway-web".to_owned(),
            deploy_role: None,
            unread_since: None,
        };

        assert_eq!(Started::from_record(&started()), mark);

        let stored = json!({"v": 1, "execution": "e-1", "pipeline": "slipway-web"});
        assert_eq!(serde_json::to_value(mark).expect("serializes"), stored);
    }

    #[test]
    fn a_started_execution_keeps_the_role_under_which_its_status_is_read() {
        let role = DeployRole {
            arn: "arn:aws:iam::111122223333:role/deploy".to_owned(),
            external_id: "arn:aws:codepipeline:eu-west-1:111122223333:slipway-web".to_owned(),
            region: None,
        };
        let record = Record {
            deploy_role: Some(role.clone()),
            ..started()
        };
        let stored = json!({"arn": role.arn, "external_id": role.external_id});

        let mark = Started::from_record(&record);
        assert_eq!(mark.deploy_role.as_ref(), Some(&role));
        let written = serde_json::to_value(&mark).expect("serializes");
        assert_eq!(written["deploy_role"], stored);
        assert_eq!(
            serde_json::from_value::<Started>(written).expect("parses"),
            mark
        );

        let written = serde_json::to_value(&record).expect("serializes");
        assert_eq!(written["deploy_role"], stored);
        assert_eq!(
            serde_json::from_value::<Record>(written).expect("parses"),
            record
        );
        assert_eq!(record.begun("apps", "web").deploy_role, Some(role));
    }
}
