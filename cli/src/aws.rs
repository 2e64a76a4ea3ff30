//! The connection to AWS: credentials and region as every tool of AWS takes them, and what the
//! outputs of the functions' stack name.

use std::collections::BTreeMap;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_cloudformation::Client;
use aws_sdk_cloudformation::types::StackResource;
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use slipway::aws::{AwsError, Ledger, Sdk};
use slipway::release::account;

use crate::{Failed, Global};

/// The output with the name of the ledger's table.
const LEDGER: &str = "LedgerTableName";

/// The output with a function's ARN.
const BEGIN_RELEASE: &str = "BeginReleaseFunctionArn";

const DESCRIBE: &str = "cloudformation:DescribeStacks";

/// The code of CloudFormation for what does not exist, which it has no code of its own for.
const NOT_FOUND: &str = "ValidationError";

/// The type of a pipeline among the resources of a stack.
const PIPELINE: &str = "AWS::CodePipeline::Pipeline";

/// What the commands act through.
#[derive(Clone, Debug)]
pub struct Session {
    pub sdk: Sdk,
    stacks: Client,
    stack: String,
    /// Of the stack, by their keys.
    outputs: BTreeMap<String, String>,
}

impl Session {
    /// Reads the outputs of the functions' stack.
    ///
    /// # Errors
    /// If there is no such stack, or it is not that of the functions.
    pub async fn open(config: SdkConfig, stack: &str) -> Result<Self, Failed> {
        let stacks = Client::new(&config);
        let outputs = outputs(&stacks, stack).await?;
        let table = outputs.get(LEDGER).ok_or_else(|| missing(stack, LEDGER))?;
        Ok(Self {
            sdk: Sdk::new(config, table),
            stacks,
            stack: stack.to_owned(),
            outputs,
        })
    }

    #[must_use]
    pub fn ledger(&self) -> Ledger {
        Ledger::new(&self.sdk)
    }

    /// The name of the stack.
    #[must_use]
    pub fn stack(&self) -> &str {
        &self.stack
    }

    /// The account of the stack, which is that of the pipelines; none if no output has it.
    #[must_use]
    pub fn account(&self) -> Option<&str> {
        let function = self.outputs.get(BEGIN_RELEASE)?;
        Some(account(function)).filter(|it| !it.is_empty())
    }

    /// The value of an output of the stack, such as the ARN of a function.
    ///
    /// # Errors
    /// If the stack has no such output.
    pub fn output(&self, key: &str) -> Result<&str, Failed> {
        let value = self.outputs.get(key).map(String::as_str);
        value.ok_or_else(|| missing(&self.stack, key))
    }

    /// The parameters of the stack that has a pipeline; none if no stack has it.
    ///
    /// # Errors
    /// If a call fails.
    pub(crate) async fn parameters_of(
        &self,
        pipeline: &str,
    ) -> Result<Option<BTreeMap<String, String>>, Failed> {
        let request = self.stacks.describe_stack_resources();
        let found = request.physical_resource_id(pipeline).send().await;
        let operation = "cloudformation:DescribeStackResources";
        let found = match found.map_err(AwsError::from_sdk(operation)) {
            Ok(found) => found,
            Err(error) if error.code == NOT_FOUND => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let is_it = |one: &&StackResource| {
            one.resource_type() == Some(PIPELINE) && one.physical_resource_id() == Some(pipeline)
        };
        let resource = found.stack_resources().iter().find(is_it);
        let Some(stack) = resource.and_then(StackResource::stack_id) else {
            return Ok(None);
        };

        let found = self.stacks.describe_stacks().stack_name(stack).send().await;
        let found = found.map_err(AwsError::from_sdk(DESCRIBE))?;
        let parameters = found.stacks().iter().flat_map(|stack| stack.parameters());
        let named = parameters.filter_map(|parameter| {
            let (key, value) = (parameter.parameter_key()?, parameter.parameter_value()?);
            Some((key.to_owned(), value.to_owned()))
        });
        Ok(Some(named.collect()))
    }
}

/// Connects as the global options and the environment state.
///
/// # Errors
/// If no region is given, or as of [`Session::open`].
pub(crate) async fn connect(global: &Global) -> Result<Session, Failed> {
    let http = Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .build_https();
    let mut loader = aws_config::defaults(BehaviorVersion::latest()).http_client(http);
    if let Some(profile) = &global.profile {
        loader = loader.profile_name(profile);
    }
    if let Some(region) = &global.region {
        loader = loader.region(Region::new(region.clone()));
    }
    if let Some(url) = &global.endpoint_url {
        loader = loader.endpoint_url(url);
    }

    let config = loader.load().await;
    if config.region().is_none() {
        return Err(Failed::Unknown(
            "no region is given; expected one in --region, AWS_REGION or the profile".to_owned(),
        ));
    }
    Session::open(config, &global.stack).await
}

async fn outputs(stacks: &Client, stack: &str) -> Result<BTreeMap<String, String>, Failed> {
    let found = stacks.describe_stacks().stack_name(stack).send().await;
    let found = found
        .map_err(AwsError::from_sdk(DESCRIBE))
        .map_err(|error| match error.code.as_str() {
            NOT_FOUND => Failed::Unknown(format!(
                "{error}; expected the stack of the functions in --stack"
            )),
            _ => Failed::Aws(error),
        })?;

    let outputs = found.stacks().iter().flat_map(|stack| stack.outputs());
    let named = outputs.filter_map(|output| {
        let (key, value) = (output.output_key()?, output.output_value()?);
        Some((key.to_owned(), value.to_owned()))
    });
    Ok(named.collect())
}

fn missing(stack: &str, key: &str) -> Failed {
    Failed::Unknown(format!(
        "stack `{stack}` has no output `{key}`; expected the stack of Slipway's functions, in this \
         version or a later one, in --stack"
    ))
}
