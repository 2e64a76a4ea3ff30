// A CDK app with a service, deployed by `cdk deploy` without a bootstrap stack: its template is an asset.
const { App, CfnOutput, CliCredentialsStackSynthesizer, Stack } = require("aws-cdk-lib");
const { CfnRepository } = require("aws-cdk-lib/aws-ecr");
const { CfnService, CfnTaskDefinition } = require("aws-cdk-lib/aws-ecs");

const NAME = "by-cdk";
const app = new App({ analyticsReporting: false });
const stack = new Stack(app, NAME, {
  env: { account: process.env.CDK_DEFAULT_ACCOUNT, region: process.env.CDK_DEFAULT_REGION },
  synthesizer: new CliCredentialsStackSynthesizer({
    fileAssetsBucketName: app.node.getContext("bucket"),
    bucketPrefix: `${NAME}/`,
  }),
});

const repository = new CfnRepository(stack, "Repository", { repositoryName: NAME });
const definition = new CfnTaskDefinition(stack, "Definition", {
  family: NAME,
  cpu: "256",
  memory: "512",
  networkMode: "awsvpc",
  requiresCompatibilities: ["FARGATE"],
  containerDefinitions: [{ name: "app", image: "public.ecr.aws/nginx/nginx:1" }],
});
new CfnService(stack, "Service", {
  serviceName: NAME,
  cluster: app.node.getContext("cluster"),
  taskDefinition: definition.ref,
  desiredCount: Number(app.node.getContext("count")),
  launchType: "FARGATE",
  networkConfiguration: { awsvpcConfiguration: { subnets: ["subnet-0a1b2c3d"] } },
});
new CfnOutput(stack, "Uri", { value: repository.attrRepositoryUri });
