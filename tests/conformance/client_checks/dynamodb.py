"""DynamoDB: tables and items."""

import boto3

from client_checks import check, server
from client_checks.account import ledger
from client_checks.calls import all_pages, cli, client, modelled


@check
def dynamodb_items():
    dynamodb = client("dynamodb")
    assert cli("dynamodb", "scan", "--table-name", ledger())["Items"]
    key_schema = [{"AttributeName": "k", "KeyType": "HASH"}]
    table = dict(TableName="own", BillingMode="PAY_PER_REQUEST", KeySchema=key_schema,
                 AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}])
    dynamodb.create_table(**table)
    key = {"k": {"S": "k1"}}
    dynamodb.put_item(TableName="own", Item={**key, "n": {"N": "9.0"}})
    assert dynamodb.get_item(TableName="own", Key=key)["Item"]["n"]["N"] == "9"
    values = {":k": {"S": "k1"}}
    query = dict(TableName="own", KeyConditionExpression="k = :k", ExpressionAttributeValues=values)
    assert len(all_pages(dynamodb, "query", "Items[]", None, **query)) == 1
    scan = dict(TableName="own", FilterExpression="begins_with(k, :k)", ExpressionAttributeValues=values)
    assert len(all_pages(dynamodb, "scan", "Items[]", None, **scan)) == 1
    condition = {"TableName": "own", "Item": key, "ConditionExpression": "attribute_not_exists(k)"}
    modelled(dynamodb, "ConditionalCheckFailedException", dynamodb.put_item, **condition)
    modelled(dynamodb, "TransactionCanceledException", dynamodb.transact_write_items, TransactItems=[{"Put": condition}])
    dynamodb.transact_write_items(TransactItems=[{"Delete": {"TableName": "own", "Key": key}}])
    assert "Item" not in dynamodb.get_item(TableName="own", Key=key)
    modelled(dynamodb, "ResourceNotFoundException", dynamodb.get_item, TableName="none", Key=key)
    modelled(dynamodb, "ResourceInUseException", dynamodb.create_table, **table)
    dynamodb.delete_table(TableName="own")
    resource = boto3.resource("dynamodb", endpoint_url=server.SERVER.url, region_name="eu-west-1", aws_access_key_id="any",
                              aws_secret_access_key="any")
    assert resource.Table(ledger()).scan()["Count"] > 0
