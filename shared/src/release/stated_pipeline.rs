//! The pipeline of a job as AWS states it, and whether it may act for a release.
//!
//! User parameters can name any pipeline, so nothing here is taken from them.

/// A pipeline as AWS states it, or as a dry run by hand names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatedPipeline {
    pub arn: Option<String>,
    pub account: Option<String>,
    pub region: Option<String>,
    pub name: Option<String>,
}

/// What AWS states of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatedJob {
    pub pipeline: StatedPipeline,
    pub execution: Option<String>,
}

impl StatedPipeline {
    /// A pipeline of which the ARN is known.
    #[must_use]
    pub fn of_arn(arn: &str) -> Self {
        Self {
            arn: Some(arn.to_owned()),
            account: None,
            region: None,
            name: None,
        }
    }

    /// Refuses an execution whose release is that of another pipeline: `owner` is that one's ARN,
    /// the external id of the release's role.
    ///
    /// # Errors
    /// With the field, both pipelines and what is expected.
    pub fn check_owner(&self, execution: &str, owner: &str) -> Result<(), String> {
        let found = match self.arn_beside(owner) {
            Some(own) if own == owner => return Ok(()),
            Some(own) => format!("the job is of pipeline {own}"),
            None => "AWS states no ARN of the job's pipeline, nor its account, region and name"
                .to_owned(),
        };
        Err(format!(
            "`execution` is {execution}, whose release is of pipeline {owner}, but {found}; \
             expected the job's own execution, #{{codepipeline.PipelineExecutionId}}"
        ))
    }

    /// The ARN. One that AWS does not state is made from the rest, in the partition of `other`.
    pub(super) fn arn_beside(&self, other: &str) -> Option<String> {
        if self.arn.is_some() {
            return self.arn.clone();
        }
        let partition = other.split(':').nth(1)?;
        let (account, region) = (self.account.as_ref()?, self.region.as_ref()?);
        let name = self.name.as_ref()?;
        Some(format!(
            "arn:{partition}:codepipeline:{region}:{account}:{name}"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PIPELINE: &str = "arn:aws:codepipeline:eu-west-1:111122223333:web";

    fn text(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    fn stated(arn: Option<&str>) -> StatedPipeline {
        StatedPipeline {
            arn: arn.map(ToOwned::to_owned),
            account: text("444455556666"),
            region: text("eu-west-1"),
            name: text("web"),
        }
    }

    #[test]
    fn an_execution_of_another_pipeline_is_refused_with_both_pipelines() {
        let other = PIPELINE.replace(":web", ":api");
        let chinese = "arn:aws-cn:codepipeline:eu-west-1:444455556666:web";
        let unstated = StatedPipeline {
            name: None,
            ..stated(None)
        };
        for (own, owner, found) in [
            (&StatedPipeline::of_arn(PIPELINE), PIPELINE, None),
            (&stated(Some(PIPELINE)), PIPELINE, None),
            (&stated(None), chinese, None),
            (
                &stated(Some(&other)),
                PIPELINE,
                Some("the job is of pipeline arn:aws:codepipeline:eu-west-1:111122223333:api"),
            ),
            (
                &stated(None),
                PIPELINE,
                Some("the job is of pipeline arn:aws:codepipeline:eu-west-1:444455556666:web"),
            ),
            (
                &unstated,
                PIPELINE,
                Some("AWS states no ARN of the job's pipeline, nor its account, region and name"),
            ),
        ] {
            let expected = found.map_or(Ok(()), |found| {
                Err(format!(
                    "`execution` is e-1, whose release is of pipeline {owner}, but {found}; \
                     expected the job's own execution, #{{codepipeline.PipelineExecutionId}}"
                ))
            });
            assert_eq!(own.check_owner("e-1", owner), expected);
        }
    }
}
