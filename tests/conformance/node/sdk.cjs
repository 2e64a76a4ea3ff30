// The JavaScript SDK on `cargo sandbox serve`: paginators, waiters, times and typed errors in JSON and in CBOR.
// usage: sdk.cjs <cluster> <service> <pipeline>
const assert = require("node:assert/strict");
const ecs = require("@aws-sdk/client-ecs");
const pipelines = require("@aws-sdk/client-codepipeline");
const metrics = require("@aws-sdk/client-cloudwatch");
const { AwsJson1_1Protocol, AwsSmithyRpcV2CborProtocol } = require("@aws-sdk/core/protocols");

const [cluster, service, pipeline] = process.argv.slice(2);

async function all(pages, member) {
  const found = [];
  for await (const page of pages) found.push(...(page[member] ?? []));
  return found;
}

async function services() {
  const client = new ecs.ECSClient({});
  const arns = await all(ecs.paginateListServices({ client, pageSize: 1 }, { cluster }), "serviceArns");
  assert.ok(arns.some((arn) => arn.endsWith(`/${service}`)), arns);
  const limits = { client, maxWaitTime: 60, minDelay: 1, maxDelay: 2 };
  const waited = await ecs.waitUntilServicesStable(limits, { cluster, services: [service] });
  assert.equal(waited.state, "SUCCESS");

  const described = await client.send(new ecs.DescribeServicesCommand({ cluster, services: [service, "none"] }));
  assert.ok(described.services[0].createdAt instanceof Date);
  assert.equal(described.failures[0].reason, "MISSING");
  const listed = await client.send(new ecs.ListServiceDeploymentsCommand({ cluster, service }));
  const serviceDeploymentArns = listed.serviceDeployments.map((one) => one.serviceDeploymentArn);
  const one = await client.send(
    new ecs.DescribeServiceDeploymentsCommand({ serviceDeploymentArns: serviceDeploymentArns.slice(0, 20) }),
  );
  assert.ok(one.serviceDeployments[0].createdAt instanceof Date);
  assert.equal(one.failures.length, 0);
  await assert.rejects(
    client.send(new ecs.ListServicesCommand({ cluster: "none" })),
    (error) => error instanceof ecs.ClusterNotFoundException,
  );
}

async function releases() {
  const client = new pipelines.CodePipelineClient({});
  const names = (await all(pipelines.paginateListPipelines({ client, pageSize: 1 }, {}), "pipelines")).map((it) => it.name);
  assert.ok(names.includes(pipeline), names);
  const state = await client.send(new pipelines.GetPipelineStateCommand({ name: pipeline }));
  assert.ok(state.stageStates.length > 1 && state.created instanceof Date);
  await assert.rejects(
    client.send(new pipelines.GetPipelineCommand({ name: "none" })),
    (error) => error instanceof pipelines.PipelineNotFoundException,
  );
}

async function workers(protocol, version) {
  const client = new pipelines.CodePipelineClient({ protocol });
  const type = { category: "Test", provider: "from-javascript", version };
  const artifacts = { minimumCount: 0, maximumCount: 1 };
  const suite = { name: "Suite", required: true, key: true, secret: false, queryable: true, type: "String" };
  await client.send(
    new pipelines.CreateCustomActionTypeCommand({
      ...type,
      configurationProperties: [suite],
      inputArtifactDetails: artifacts,
      outputArtifactDetails: artifacts,
    }),
  );
  const listed = await all(pipelines.paginateListActionTypes({ client }, { actionOwnerFilter: "Custom" }), "actionTypes");
  const made = listed.find((one) => one.id.provider === type.provider && one.id.version === version);
  assert.equal(made.actionConfigurationProperties[0].type, "String");
  assert.equal(made.inputArtifactDetails.maximumCount, 1);

  const actionTypeId = { ...type, owner: "Custom" };
  const polled = await client.send(new pipelines.PollForJobsCommand({ actionTypeId, queryParam: { Suite: "unit" } }));
  assert.deepEqual(polled.jobs, []);
  const unknown = { jobId: "00000000-0000-0000-0000-000000000000", nonce: "1" };
  await assert.rejects(
    client.send(new pipelines.AcknowledgeJobCommand(unknown)),
    (error) => error instanceof pipelines.JobNotFoundException,
  );
  await client.send(new pipelines.DeleteCustomActionTypeCommand(type));
  await assert.rejects(
    client.send(new pipelines.PollForJobsCommand({ actionTypeId, queryParam: { Suite: "unit" } })),
    (error) => error instanceof pipelines.ActionTypeNotFoundException,
  );
}

async function measurements() {
  const client = new metrics.CloudWatchClient({});
  const MetricData = [{ MetricName: "orders", Value: 3, Unit: "Count" }];
  await client.send(new metrics.PutMetricDataCommand({ Namespace: "from-javascript", MetricData }));
  for (let tries = 0; tries < 100; tries += 1) {
    const { Metrics } = await client.send(new metrics.ListMetricsCommand({ Namespace: "from-javascript" }));
    if (Metrics.length === 1) return assert.equal(Metrics[0].MetricName, "orders");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.fail("the metric is not listed");
}

async function main() {
  await services();
  await releases();
  await workers(AwsJson1_1Protocol, "1");
  await workers(AwsSmithyRpcV2CborProtocol, "2");
  await measurements();
  console.log("the JavaScript SDK agrees");
}

main();
