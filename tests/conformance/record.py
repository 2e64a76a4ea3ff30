"""The recording of a run with SLIPWAY_RECORD."""

import json
import re

# A word with a digit. The letters before the digit are not given back, so each word is read once.
VARYING = re.compile(r"\b[^\W\d]*+\d\w*")


def lines(folder, *kinds):
    """The lines with records of these kinds; those that differ only in words with a digit count once."""
    starts = tuple(f'{{"kind":"{kind}",' for kind in kinds)
    known = set()
    for path in sorted(folder.rglob("*.jsonl")):
        for line in path.open():
            if not line.startswith(starts):
                continue
            shape = hash(VARYING.sub("0", line))
            if shape not in known:
                known.add(shape)
                yield line


def records(folder, *kinds):
    return map(json.loads, lines(folder, *kinds))
