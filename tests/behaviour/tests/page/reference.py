#!/usr/bin/env python3
"""The delivery figures once more, plainly, from the items of the ledger as they are stored.
    python3 reference.py make > ledger.jsonl
    python3 reference.py < ledger.jsonl > expected.jsonl
The first draws a ledger of 200 releases of 30 services; the second computes its figures.
"""
import json
import statistics
import sys
from datetime import datetime, timedelta, timezone

NOW = datetime(2026, 3, 1, tzinfo=timezone.utc)
DAYS = 30
RELEASES = 200
SERVICES = [f"web-{n:02}" for n in range(18)] + [f"shop-{n:02}" for n in range(12)]
OUTCOMES = ["deployed"] * 12 + ["rolled-back"] * 4 + ["failed"] * 2 + [
    "unchanged", "superseded", "held", "withdrawn", "refused"]


class Draw:
    """A congruential generator (Knuth, The Art of Computer Programming, volume 2, 3.3.4: MMIX)."""

    def __init__(self, seed):
        self.state = seed

    def below(self, limit):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2**64
        return (self.state >> 33) % limit

    def of(self, words):
        return words[self.below(len(words))]


def text(at):
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def instant(text):
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)


def arn(service, number):
    return f"arn:aws:ecs:eu-west-1:111122223333:task-definition/{service}:{number}"


def prior(service, number, began):
    """What a release of a pair found; of a single service the figures do not need it."""
    bounds = {"minimum_healthy": 100, "maximum": 200}
    base = {"task_definition": arn(service, number), "desired_count": 2, "percentages": bounds}
    place = "arn:aws:elasticloadbalancing:eu-west-1:111122223333"
    colour = lambda name, weight: {
        **base, "weight": weight, "target_group": f"{place}:targetgroup/{service}-{name}/1"}
    pair = {"rule": f"{place}:listener-rule/app/{service}/1/2/3", "live": "blue",
            "blue": colour("blue", 100), "green": colour("green", 0)}
    return {**base, "recorded_at": text(began), "pair": pair}


def shift_of(outcome, at):
    whole, part, none = ({"blue": blue, "green": 100 - blue} for blue in (100, 90, 0))
    moved = (part, none) if outcome == "deployed" else (part, whole)
    return {"from": moved[0], "to": moved[1], "at": text(at), "made": True}


def record(draw, index, began):
    service, outcome = draw.of(SERVICES), draw.of(OUTCOMES)
    ended = began + timedelta(seconds=60 + draw.below(3 * 3600))
    made = {
        "pk": f"execution#{index:08x}-0000-4000-8000-000000000000", "sk": "record", "v": 1,
        "execution": f"{index:08x}-0000-4000-8000-000000000000", "pipeline": f"slipway-{service}",
        "digest": f"sha256:{index:064x}", "cluster": "apps", "service": service,
        "state": "closed", "outcome": outcome, "started_at": text(began), "ended_at": text(ended),
        "reason": f"{service}:{index} of release {index}: " + draw.of([
            "all tasks run and all targets are healthy", "2 of 2 tasks failed their health checks",
            "the judge has seen harm: 1.02% vs 0.31% of requests & \"5XX\"", "stopped by <operator>"])}
    if outcome in ("withdrawn", "refused"):
        made["outcome"] = "rolled-back" if outcome == "withdrawn" else "failed"
        made["withdrawn"] = outcome == "withdrawn"
    if outcome != "refused":
        bounds = {"minimum_healthy": 100, "maximum": 200}
        made["change"] = {"task_definition": arn(service, index), "percentages": bounds}
    if service.startswith("shop") and outcome != "refused":
        made["prior"] = prior(service, index - 1, began)
        if outcome == "deployed" or draw.below(2):
            made["shift"] = shift_of(outcome, ended - timedelta(seconds=30))
    if service in ("web-00", "web-01"):
        middle = began - timedelta(seconds=30)
        made["earlier"] = [{"cluster": "apps", "service": f"{service}-dev", "outcome": "deployed",
                            "task_definition": arn(service + "-dev", index),
                            "ended_at": text(middle)}]
    if outcome == "refused" and draw.below(2):
        del made["cluster"], made["service"]
    return made


def claim(draw, made):
    pushed = instant(made["started_at"]) - timedelta(seconds=40 + draw.below(7200))
    made = {"pk": f"push#{made['pipeline']}", "sk": made["digest"], "v": 1,
            "pipeline": made["pipeline"], "digest": made["digest"], "event": made["execution"],
            "pushed_at": text(pushed), "claimed_at": text(pushed + timedelta(seconds=1)),
            "execution": made["execution"]}
    odd = draw.below(10)
    if odd == 0:
        del made["pushed_at"]
    elif odd == 1:
        made["execution"] = "ffffffff-0000-4000-8000-000000000000"
    elif odd == 2:
        made["pushed_at"] = text(pushed + timedelta(days=1))
    elif odd == 3:
        made["refusal"] = "this digest was rolled-back before (2 of 2 tasks failed)"
    return made


def make():
    draw = Draw(7)
    for service in SERVICES:
        lease = {"pk": "lease", "sk": f"apps/{service}", "v": 1, "cluster": "apps",
                 "service": service, "fence": 9}
        if service.startswith("shop"):
            lease["settled"] = {"live": "blue", "blue": 100, "green": 0}
        yield lease
    for index in range(1, RELEASES + 1):
        # One every four hours, the first ones before the period.
        began = NOW - timedelta(hours=4 * (RELEASES - index), seconds=draw.below(3600) + 12000)
        made = record(draw, index, began)
        yield made
        yield claim(draw, made)


def ended_releases(items):
    """Each release of a service that ended, with its own record."""
    for item in items:
        if item["sk"] != "record":
            continue
        for earlier in item.get("earlier", []):
            yield earlier, item, True
        if item["state"] == "closed":
            yield item, item, False


def is_failed(release):
    if release["outcome"] not in ("rolled-back", "failed") or release.get("withdrawn"):
        return False
    is_pair = "pair" in release.get("prior", {})
    return "shift" in release if is_pair else "change" in release


def lead(release, record, claims):
    found = claims.get((record["pipeline"], record["digest"]))
    if not found or found.get("execution") != record["execution"] or "pushed_at" not in found:
        return None
    if instant(found["pushed_at"]) > instant(record["started_at"]):
        return None
    return (instant(release["ended_at"]) - instant(found["pushed_at"])).total_seconds()


def restore(release, of_service):
    began = instant(release["started_at"])
    if release["outcome"] == "rolled-back":
        return (instant(release["ended_at"]) - began).total_seconds()
    proven = ("deployed", "unchanged", "rolled-back", "held")
    later = [instant(it["ended_at"]) for it in of_service
             if it["outcome"] in proven and it["ended_at"] > release["ended_at"]]
    return (min(later) - began).total_seconds() if later else None


def middle(values):
    known = [value for value in values if value is not None]
    return int(statistics.median(known)) if known else None


def figures(items):
    claims = {(it["pipeline"], it["digest"]): it for it in items if it["sk"].startswith("sha256:")}
    services = {}
    for release, record, is_earlier in ended_releases(items):
        if "service" in release:
            name = f"{release['cluster']}/{release['service']}"
            services.setdefault(name, []).append((release, record, is_earlier))
    since = NOW - timedelta(days=DAYS)
    for name, all_of in sorted(services.items()):
        own = [it for it in all_of if instant(it[0]["ended_at"]) >= since]
        if not own:
            continue
        good = [it for it in own if it[0]["outcome"] == "deployed"]
        bad = [it[0] for it in own if not it[2] and is_failed(it[0])]
        changes = len(good) + len(bad)
        yield {"service": name, "deployed": len(good), "failed": len(bad),
               "a_week": round(len(good) * 7 / DAYS, 6),
               "failure_rate": round(len(bad) / changes, 6) if changes else None,
               "lead": middle(lead(release, record, claims) for release, record, _ in good),
               "restore": middle(restore(it, [other for other, _, _ in all_of]) for it in bad)}


if __name__ == "__main__":
    rows = make() if sys.argv[1:] == ["make"] else figures([json.loads(it) for it in sys.stdin])
    for row in rows:
        print(json.dumps(row, separators=(",", ":")))
