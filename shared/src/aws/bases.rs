//! The newest revision of a family that a release may be made from. What a release registered shows
//! its mark; whether that release vouches for it, its record.

use super::{AwsError, Ledger, Sdk, TaskDefinitions};
use crate::job::{Failure, StepError};
use crate::limits::PAGES;
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

    /// The newest ACTIVE revision of a family, with its ARN, but for those that a release of this
    /// ledger registered and that it rolled back or that are not approved yet.
    ///
    /// # Errors
    /// A ConfigurationError when the family has none; when a call fails, or the family has too many
    /// revisions.
    pub async fn newest(&self, family: &str) -> Result<(String, TaskDefinition), StepError> {
        let mut token = None;
        for _ in 0..PAGES {
            let (arns, next) = self.task_definitions.active(family, token).await?;
            for arn in arns {
                let described = self.task_definitions.describe(&arn).await?;
                if let Some((arn, definition)) = described
                    && self.may_be_base(&arn, &definition).await?
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

    /// An execution without a record is not one of this ledger.
    async fn may_be_base(&self, arn: &str, definition: &TaskDefinition) -> Result<bool, AwsError> {
        let Some(mark) = definition.mark() else {
            return Ok(true);
        };
        let record = self.ledger.record(&mark.execution).await?;
        Ok(record.is_none_or(|record| record.vouches_for(arn)))
    }
}

fn missing(family: &str) -> Failure {
    Failure::configuration(format!(
        "family `{family}` has no revision to make another one from; expected an ACTIVE one that \
         no release rolled back; register one, or change `base` or `family`"
    ))
}
