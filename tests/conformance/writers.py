"""Plays the ledger's writes and reads against the sandbox and against third-party emulators, and compares their outcomes:
conditional writes, transactions with their cancellation reasons, pages of queries, and writers that come at once.

Messages are left out, because their wording is no contract. Of several writers the order is not compared, but how many had
which outcome: of those that claim one push exactly one must win.

usage: writers.py <the program `sandbox`> [moto|ministack …]
"""

import sys
import threading

from botocore.exceptions import ClientError

from emulators import compare
from servers import SERVERS, client, sandbox, started

TABLE = "writers"
KEYS = ("pk", "sk")
CONFLICTS = ("TransactionConflict", "TransactionInProgressException", "TransactionConflictException")

# Rounds of concurrent writers, and how many there are in each.
ROUNDS = 20
WRITERS = 2
CROWD = 8

# (emulators, case, path): reason. As in emulators.py.
ALLOWED = {
    ("moto", r"a condition without an end|a value that is not given", r"code"): "moto fails on what it cannot read",
    ("moto", r"a value that no condition uses", r"code"): "DynamoDB refuses a value that no expression uses, moto ignores it",
    ("moto", r"the same once more|another one with its token", r".*"): "moto forgets the tokens of transactions",
}

# Emulators whose writers at once are not compared: reason.
NOT_ATOMIC = {"moto": "moto checks and writes on one thread for each request without a lock, so that both of two writers may win"}


def text(value):
    return {"S": value}


def number(value):
    return {"N": str(value)}


def key(pk, sk):
    return {"pk": text(pk), "sk": text(sk)}


def claim(digest, event, second=0, **more):
    claimed = text(f"2026-01-05T09:00:{second:02}Z")
    return {**key("push#web", digest), "event": text(event), "claimed_at": claimed, "v": number(1), **more}


def put(item, condition=None, values=None, names=None, **more):
    request = {"TableName": TABLE, "Item": item, **more}
    if condition:
        request["ConditionExpression"] = condition
    if values:
        request["ExpressionAttributeValues"] = values
    if names:
        request["ExpressionAttributeNames"] = names
    return request


NEW = "attribute_not_exists(pk)"
STILL = "event = :event AND claimed_at = :claimed AND attribute_not_exists(execution) AND attribute_exists(expires_at)"
STATE = {"#state": "state"}
OLD = {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}


def record(execution, state, **more):
    return {**key(f"execution#{execution}", "record"), "state": text(state), **more}


def lease(fence):
    return {**key("lease", "apps/web"), "fence": number(fence)}


def advanced(fence):
    """The next state of the lease, if it is still the one before."""
    return put(lease(fence), "fence = :fence", {":fence": number(fence - 1)})


def single_writes():
    """Cases of PutItem, in order: what each finds is what the ones before have left."""
    first = claim("sha256:0a", "event-1", expires_at=number(1_800_000_000))
    started = {**first, "execution": text("e-1")}
    anew = claim("sha256:0a", "event-1", 1, expires_at=number(1_800_000_000))
    mine = {":event": text("event-1"), ":claimed": first["claimed_at"]}
    newer = {**mine, ":claimed": anew["claimed_at"]}
    executed = {":event": text("event-1"), ":execution": text("e-1")}
    yield "a claim", put(first, NEW)
    yield "a claim that is there", put(first, NEW)
    yield "a claim that is there, shown", put(first, NEW, **OLD)
    yield "a claim over that of another event", put(first, STILL, {**mine, ":event": text("event-2")})
    yield "a claim over an unchanged one", put(anew, STILL, mine)
    yield "a claim over one made anew", put(started, STILL, mine)
    yield "a started one over it", put(started, STILL, newer)
    yield "a claim over a started one", put(first, STILL, mine)
    yield "a claim over the started one that was read", put(
        first, "event = :event AND execution = :execution", executed, ReturnValues="ALL_OLD"
    )
    yield "a first lease", put(lease(1), NEW)
    yield "the next lease", advanced(2)
    yield "a lease with an old fence", advanced(2)
    yield "a lease with a future fence", advanced(9)
    begun = {":started": text("started")}
    yield "a record", put(record("e-1", "started"), "attribute_not_exists(pk) OR #state = :started", begun, STATE)
    yield "a closed record", put(record("e-1", "closed"), "#state <> :closed", {":closed": text("closed")}, STATE)
    yield "a record over a closed one", put(record("e-1", "begun"), "#state <> :closed", {":closed": text("closed")}, STATE)
    yield "a condition with a reserved word", put(record("e-1", "begun"), "state = :state", {":state": text("begun")})
    yield "a value that no condition uses", put(first, NEW, {":unused": text("x")})
    yield "a value that is not given", put(first, "event = :event")
    yield "a condition without an end", put(first, "attribute_not_exists(pk")
    yield "an item without its sort key", put({"pk": text("lease")})
    yield "an item with an empty key", put(key("", "x"))
    yield "an item that is too large", put({**key("large", "x"), "v": text("x" * 409_600)})


def transactions():
    """Cases of TransactWriteItems: their members, and a token if there is one."""
    marked = {"Put": put(key("lease", "started#e-2"))}
    begun = {"Put": put(record("e-2", "started"), NEW)}
    unmarked = {"Delete": {"TableName": TABLE, "Key": key("lease", "started#e-2")}}
    fenced = {"Put": advanced(3)}
    closed = {"Put": put(record("e-2", "closed"), "#state <> :closed", {":closed": text("closed")}, STATE)}
    there = {"TableName": TABLE, "ConditionExpression": "attribute_exists(pk)"}
    held = {"ConditionCheck": {**there, "Key": key("lease", "apps/web")}}
    gone = {"Delete": {**there, "Key": key("lease", "gone")}}
    yield "a record and its mark", [begun, marked], "first"
    yield "the same once more", [begun, marked], "first"
    yield "another one with its token", [held, marked], "first"
    yield "a record that is there", [begun, marked], None
    yield "a record that is there, shown", [{"Put": {**begun["Put"], **OLD}}, marked], None
    yield "a lease, a record and no mark", [fenced, closed, unmarked], None
    yield "the same when it is done", [fenced, closed, unmarked], None
    yield "two conditions that do not hold", [{"Put": advanced(2)}, begun], None
    yield "a check that holds", [held, marked], None
    yield "one item twice", [marked, unmarked], None
    yield "a deletion of what is not there", [gone], None


def outcome(call):
    """What a call came to: its members, or its code with the reasons and the items that it shows."""
    try:
        answer = call()
    except ClientError as error:
        response = error.response
        found = {"code": response["Error"]["Code"], "item": response.get("Item")}
        reasons = [{"code": reason["Code"], "item": reason.get("Item")} for reason in response.get("CancellationReasons", [])]
        return {**found, "reasons": reasons}
    answer.pop("ResponseMetadata")
    return {"ok": {name: member for name, member in answer.items() if member}}


def in_order(dynamodb):
    """The outcomes of all cases that one writer plays, and what is in the table afterwards."""
    for name, request in single_writes():
        yield name, outcome(lambda request=request: dynamodb.put_item(**request))
    for name, items, token in transactions():
        more = {"ClientRequestToken": token} if token else {}
        yield name, outcome(lambda items=items, more=more: dynamodb.transact_write_items(TransactItems=items, **more))
    for sk in ("apps/web", "gone"):
        yield f"item {sk}", outcome(
            lambda sk=sk: dynamodb.get_item(TableName=TABLE, Key=key("lease", sk), ConsistentRead=True)
        )
    yield "all leases", {"items": [item["sk"]["S"] for page in pages(dynamodb, "lease") for item in page]}
    yield "pages", paged(dynamodb)


def pages(dynamodb, pk):
    """The pages of the items of one partition key."""
    request = {
        "TableName": TABLE, "ConsistentRead": True,
        "KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": {":pk": text(pk)},
    }
    while True:
        answer = dynamodb.query(**request)
        yield answer["Items"]
        if "LastEvaluatedKey" not in answer:
            return
        request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def paged(dynamodb):
    """A partition of 2.4 MB, of which a page holds one, between two others."""
    for pk in ("many-a", "many-b", "many-c"):
        for sk in range(8 if pk == "many-b" else 1):
            dynamodb.put_item(**put({**key(pk, f"{sk:02}"), "v": text("x" * 300_000)}))
    found = list(pages(dynamodb, "many-b"))
    return {"items": [item["sk"]["S"] for page in found for item in page], "are_several": len(found) > 1}


def at_once(url, requests):
    """The outcomes of several writers, each with a client of its own, that begin at one instant."""
    barrier = threading.Barrier(len(requests))
    outcomes = [None] * len(requests)

    def write(number, operation, request):
        dynamodb = client("dynamodb", url)
        barrier.wait()
        outcomes[number] = outcome(lambda: getattr(dynamodb, operation)(**request))

    threads = [threading.Thread(target=write, args=(number, *request)) for number, request in enumerate(requests)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def counted(outcomes):
    """How many writers won, and with which codes the others lost. A conflict of transactions is a lost race, too."""
    winners = sum("ok" in one for one in outcomes)
    losers = [one for one in outcomes if "ok" not in one]
    codes = {code for one in losers for code in [one["code"], *(reason["code"] for reason in one["reasons"])]}
    codes -= {"None", *CONFLICTS}
    return {"winners": winners, "codes": sorted(codes)}


def claims(url, digest, writers):
    """Writers that claim one push, and whose claim the table has."""
    items = [claim(digest, f"event-{number}") for number in range(writers)]
    outcomes = at_once(url, [("put_item", put(item, NEW)) for item in items])
    won = [item for item, one in zip(items, outcomes) if "ok" in one]
    stored = client("dynamodb", url).get_item(TableName=TABLE, Key=key("push#web", digest), ConsistentRead=True)["Item"]
    return {**counted(outcomes), "is_stored": won == [stored]}


def advances(url, round_number):
    """Writers that take one lease, each with a record of its own, and whose record the table has."""
    held = put({**key("lease", f"race-{round_number}"), "fence": number(1)}, NEW)
    records = [record(f"race-{round_number}-{writer}", "begun") for writer in range(WRITERS)]
    requests = [("transact_write_items", {"TransactItems": [{"Put": held}, {"Put": put(item, NEW)}]}) for item in records]
    outcomes = at_once(url, requests)
    dynamodb = client("dynamodb", url)
    stored = [dynamodb.get_item(TableName=TABLE, Key={name: item[name] for name in KEYS}) for item in records]
    return {**counted(outcomes), "records": sum("Item" in one for one in stored)}


def concurrent(url):
    for number_of_round in range(ROUNDS):
        yield f"claims {number_of_round}", claims(url, f"sha256:c0{number_of_round:02x}", WRITERS)
        yield f"leases {number_of_round}", advances(url, number_of_round)
    yield "claims of a crowd", claims(url, "sha256:c1", CROWD)


def answers(url, is_atomic=True):
    dynamodb = client("dynamodb", url)
    attributes = [{"AttributeName": name, "AttributeType": "S"} for name in KEYS]
    kinds = zip(KEYS, ("HASH", "RANGE"))
    dynamodb.create_table(
        TableName=TABLE, BillingMode="PAY_PER_REQUEST", AttributeDefinitions=attributes,
        KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in kinds],
    )
    return {**dict(in_order(dynamodb)), **(dict(concurrent(url)) if is_atomic else {})}


def races(found):
    return {case: one for case, one in found.items() if "winners" in one}


def lost_races(found):
    """The rounds of the sandbox in which not exactly one writer won."""
    rounds = races(found)
    return [f"{case}: {one}" for case, one in rounds.items() if one["winners"] != 1 or one.get("records", 1) != 1]


def main():
    program, names = sys.argv[1], sys.argv[2:] or list(SERVERS)
    with started(sandbox(program)) as url:
        ours = answers(url)
    failures = lost_races(ours)
    for failure in failures:
        print(f"failed: sandbox: {failure}")
    failed = len(failures)
    for name in names:
        is_atomic = name not in NOT_ATOMIC
        with started(SERVERS[name]) as url:
            theirs = answers(url, is_atomic)
        left_out = {} if is_atomic else races(ours)
        mine = {case: one for case, one in ours.items() if case not in left_out}
        passed, failures = compare(name, mine, theirs, ALLOWED)
        for failure in failures:
            print(f"failed: {name}: {failure}")
        print(f"{name}: {len(theirs)} cases, {passed} fields passed, {len(failures)} failed")
        failed += len(failures) or not passed
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
