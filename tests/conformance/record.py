"""The recording of a run with SLIPWAY_RECORD."""

import json
import re


def blunt(word):
    return "0" if re.search(r"\d", word[0]) else word[0]


def lines(folder, kind):
    """Records of one kind; those that differ only in words with a digit count once."""
    known = set()
    for path in sorted(folder.rglob("*.jsonl")):
        for line in path.open():
            shape = hash(re.sub(r"\w+", blunt, line))
            if shape in known:
                continue
            known.add(shape)
            record = json.loads(line)
            if record["kind"] == kind:
                yield record


def calls(folder):
    return lines(folder, "call")


def operations(folder):
    return lines(folder, "operation")


def events(folder):
    return (record["event"] for record in lines(folder, "event"))


def payloads(folder):
    return ((record["function"], record["payload"]) for record in lines(folder, "invocation"))
