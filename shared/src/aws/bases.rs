//! What a release may be made from: the newest revision of a family, or what runs, if that already
//! has all that the release wants. The mark of a revision shows which release registered it; the
//! record of that release shows whether it was deployed.

use super::{AwsError, Ledger, Sdk, TaskDefinitions};
use crate::job::{Failure, StepError};
use crate::limits::{DESCRIBED_REVISIONS, PAGES};
use crate::release::{Record, may_be_base, was_deployed};
use crate::task_definition::TaskDefinition;

#[derive(Clone, Debug)]
pub struct Bases {
    task_definitions: TaskDefinitions,
    ledger: Ledger,
}

impl Bases {
    #[must_use]
    pub fn new(sdk: &Sdk) -> Self {
        Self {
            task_definitions: TaskDefinitions::new(sdk),
            ledger: Ledger::new(sdk),
        }
    }

    /// The newest ACTIVE revision of a family, with its ARN, except those that a release of this
    /// ledger registered and rolled back, or that are not approved yet.
    ///
    /// # Errors
    /// A ConfigurationError when the family has none, or none among its newest
    /// [`DESCRIBED_REVISIONS`]; when a call fails, or the family has too many revisions.
    pub async fn newest(&self, family: &str) -> Result<(String, TaskDefinition), StepError> {
        let mut described = 0;
        let mut token = None;
        for _ in 0..PAGES {
            let (arns, next) = self.task_definitions.active(family, token).await?;
            for arn in arns {
                if described == DESCRIBED_REVISIONS {
                    return Err(missing(family).into());
                }

                described += 1;
                let found = self.task_definitions.describe(&arn).await?;
                if let Some((arn, definition)) = found
                    && may_be_base(self.record_of(&definition).await?.as_ref(), &arn)
                {
                    return Ok((arn, definition));
                }
            }

            token = next;
            if token.is_none() {
                return Err(missing(family).into());
            }
        }
        Err(TaskDefinitions::too_many(family).into())
    }

    /// Whether a release of `wanted` needs no new revision: what runs is that, or a release
    /// registered it from that and ECS filled it in. An operator who copies a revision copies its
    /// mark too, so the release must have deployed this very revision.
    ///
    /// # Errors
    /// If the record of that release cannot be read.
    pub async fn is_current(
        &self,
        wanted: &TaskDefinition,
        (arn, runs): (&str, &TaskDefinition),
    ) -> Result<bool, AwsError> {
        if *wanted == runs.clone().unmarked() {
            return Ok(true);
        }

        let mark = runs.mark();
        let Some(mark) = mark.filter(|mark| mark.sent == wanted.fingerprint()) else {
            return Ok(false);
        };
        let record = self.ledger.record(&mark.execution).await?;
        Ok(was_deployed(record.as_ref(), arn))
    }

    /// The record of the execution whose mark a revision has, if it has both.
    async fn record_of(&self, definition: &TaskDefinition) -> Result<Option<Record>, AwsError> {
        match definition.mark() {
            Some(mark) => self.ledger.record(&mark.execution).await,
            None => Ok(None),
        }
    }
}

fn missing(family: &str) -> Failure {
    Failure::configuration(format!(
        "family `{family}` has no revision to make another one from; expected an ACTIVE one among \
         its newest {DESCRIBED_REVISIONS} that no release rolled back; register one, or change \
         `base` or `family`"
    ))
}
