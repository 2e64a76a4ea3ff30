#!/usr/bin/env python3
"""The second judge once more, plainly: every look is computed from all minutes anew.
Reads scenarios of format 2 from standard input and writes what is expected of them:
    python3 reference.py < ../../examples/judge/scenarios.jsonl > expected.jsonl
"""
import json
import math
import sys

DEFAULTS = dict(
    alpha=0.005, alpha_exam=0.005, alpha_promote=0.05, min_bad=3, min_minutes=5, end=60, steps=[1],
    share=None, tau=1.1, eps=1e-4, tau_promote=2.0, eps_promote=1e-3, tau_4xx=1.5, eps_4xx=5e-3,
    tau_promote_4xx=3.0, eps_promote_4xx=1e-2, w_errors=0.5, w_4xx=0.1, w_latency=0.4,
    latency="judge", warm_up=3, sticky=False, clump_errors=None, clump_4xx=None,
    clump_latency=None, values=[])
HARM = [1.2, 1.7, 3.0, 8.0, 40.0, 200.0]
HEALTH = [0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]


def log_sum(logs):
    top = max(logs)
    return top if top == -math.inf else top + math.log(sum(math.exp(x - top) for x in logs))


log_mean = lambda logs: log_sum(logs) - math.log(len(logs))
theta = lambda n_c, n_b, tau: tau * n_c / (tau * n_c + n_b)


def metrics_of(cfg, thresholds):
    """The metrics that decide, and those that only object."""
    judged = [
        dict(name="errors", w=cfg["w_errors"], tau=cfg["tau"], eps=cfg["eps"],
             tau_p=cfg["tau_promote"], eps_p=cfg["eps_promote"], stated=cfg["clump_errors"]),
        dict(name="4xx", w=cfg["w_4xx"], tau=cfg["tau_4xx"], eps=cfg["eps_4xx"],
             tau_p=cfg["tau_promote_4xx"], eps_p=cfg["eps_promote_4xx"], stated=cfg["clump_4xx"])]
    latency = [dict(name=f"latency[{j}]", w=cfg["w_latency"] / thresholds, tau=1.0, eps=None,
                    tau_p=1.0, eps_p=None, stated=cfg["clump_latency"], j=j)
               for j in range(thresholds)]
    mode = "watch" if cfg["sticky"] and cfg["latency"] == "judge" else cfg["latency"]
    judged = [m for m in judged if m["w"] > 0] + (latency if mode == "judge" else [])
    watched = latency if mode == "watch" else []
    for family in (judged, watched):
        total = sum(m["w"] for m in family)
        for m in family:
            m["w"] /= total
            m["tau"] = max(m["tau"], 1.5) if cfg["sticky"] else m["tau"]
    return judged, watched, mode


def count(side, field):
    return side.get(field) or 0


def bad_of(side, rule):
    n = count(side, "n")
    if rule == "difference":
        return min(max(n - count(side, "ok") - count(side, "r4"), 0), n)
    return min(count(side, "r5") + count(side, "refused"), n)


def dispersion(units, own):
    """phi and the events it was measured from; a unit is a list of (n, x)."""
    units = [u for u in units
             if sum(n > 0 for n, _ in u) >= 2 and sum(x for n, x in u if n > 0) > 0]
    found, expected = {}, {}
    for unit in units:
        m = sum(x for n, x in unit if n > 0)
        for k, (n, x) in enumerate(unit):
            if n > 0:
                found[k] = found.get(k, 0.5) + x
                expected[k] = expected.get(k, 0.5) + n * m / sum(n for n, _ in unit)
    rho = {k: found[k] / expected[k] if own else 1.0 for k in found}
    statistic = variance = events = 0
    for unit in units:
        parts = [(rho[k] * n, x) for k, (n, x) in enumerate(unit) if n > 0]
        total, m = sum(v for v, _ in parts), sum(x for _, x in parts)
        free = len(parts) - 1
        statistic += sum((x - m * v / total) ** 2 * total / v for v, x in parts) / free
        variance += 2 * m * (m - 1) / free
        events += m
    if not events or statistic / events <= 1 + 2 * math.sqrt(variance) / events:
        return 1.0, events
    return min(statistic / events, 100.0), events


def hour_part(zone, metric, rule):
    n = count(zone, "n")
    if metric["name"] == "errors":
        return n, bad_of(zone, rule)
    if metric["name"] == "4xx":
        return n, min(count(zone, "r4"), n)
    return n, min(zone["slow"][metric["j"]], n)


def measure(hour, metrics):
    """Which requests are bad, and for each metric phi, one by one, and both rates."""
    def failed(minute):
        return sum(count(z, "r5") + count(z, "refused") for z in minute)

    def difference(minute):
        return sum(count(z, "n") - count(z, "ok") - count(z, "r4") for z in minute)

    busy = [m for m in hour if sum(count(z, "n") for z in m) > 0]
    requests = sum(count(z, "n") for m in busy for z in m)
    clean = (len(busy) >= 30
             and sum(difference(m) < failed(m) for m in busy) <= 0.05 * len(busy)
             and sum(difference(m) - failed(m) for m in busy) <= 0.01 * requests)
    rule = "difference" if clean else "5xx"
    known = {}
    for metric in metrics:
        units = [[hour_part(z, metric, rule) for z in m] for m in hour]
        whole = [(sum(n for n, _ in u), sum(x for _, x in u)) for u in units]
        zones, _ = dispersion(units, True)
        pairs, events = dispersion([whole[i:i + 2] for i in range(0, len(whole), 2)], False)
        rate = sum(x for _, x in whole) / max(requests, 1)
        lax = rate
        if "j" in metric:
            lax = sum(z["slow_p"][metric["j"]] for m in hour for z in m) / max(requests, 1)
        single = zones <= 1 and pairs <= 1 and events >= 30
        known[metric["name"]] = (max(zones, pairs), single, rate, lax)
    return rule, known, requests / len(busy) if busy else None


def needed(cfg, m, known, per_minute):
    """Minutes after which a healthy canary shows a metric."""
    phi, _, p, p_c = known[m["name"]]
    phi = max(1.0, m["stated"]) if m["stated"] is not None else phi
    n_c, n_b = per_minute * cfg["share"], per_minute * (1 - cfg["share"])
    t = theta(n_c, n_b, m["tau_p"])
    growth = [p_c * n_c * math.log(q) - (p_c * n_c + p * n_b) * math.log1p((q - 1) * t)
              for q in HEALTH]
    need = -math.log(cfg["alpha_promote"]) + 0.5 * math.log(10)
    if m["eps_p"] is not None:
        growth += [p * n_c * math.log(q) + (1 - q) * n_c * m["eps_p"] for q in HEALTH]
        need += math.log(2)
    best = max(growth + [0.0]) / phi
    minutes = need / best if best > 0 else math.inf
    return minutes + (cfg["warm_up"] if "j" in m else 0)


def visible(minute, now):
    """The counters of a minute that are final, and whether all are."""
    sides, final = {s: dict(minute[s]) for s in "cb"}, True
    for field, at in minute.get("seen", {}).items():
        if at > now:
            final = False
            sides[field[0]][field[2:]] = None
    return sides, final


def answers_of(side, rule, waited):
    """(n, errors, 4xx), or None while in doubt."""
    if side.get("n") is None:
        return None
    n = side["n"]
    if n > 0 and all(side.get(f) is None for f in ("ok", "r4", "r5", "refused", "timed")):
        return (n, n, 0) if waited else None
    answered = count(side, "ok") + count(side, "r4") + count(side, "r5")
    if answered < 0.98 * count(side, "timed"):
        return None
    if rule == "difference" and answered - 5 > n / 0.98:
        return None
    return n, bad_of(side, rule), min(count(side, "r4"), n)


def latency_of(c, b, thresholds):
    """Counts of each threshold, 'doubt', or None."""
    lists = [side.get(f) or [None] * thresholds
             for side, f in ((c, "slow_r"), (c, "slow_p"), (b, "slow"))]
    known = [c.get("timed"), b.get("timed")] + [x for one in lists for x in one]
    if any(x is None for x in known):
        return "doubt"
    rows = [(c["timed"], x, lax, b["timed"], y) for x, lax, y in zip(*lists)]
    bad = any(n < max(x, lax, 1) or n_b < max(y, 1) for n, x, lax, n_b, y in rows)
    return None if bad else rows


def take(minute, t, now, rule, thresholds, warm_up):
    """None while it waits, else ({metric: counts}, whether answers and latency are usable)."""
    sides, final = visible(minute, now)
    c, b = sides["c"], sides["b"]
    if c.get("n") == 0 or b.get("n") == 0:
        return {}
    waited = now - t >= 3
    left, right = answers_of(c, rule, waited), answers_of(b, rule, waited)
    latency = latency_of(c, b, thresholds) if thresholds and t > warm_up else None
    doubt = not final or left is None or right is None or latency == "doubt"
    if doubt and not waited:
        return None
    taken = {}
    if left and right:
        taken["errors"] = (left[0], left[1], left[1], right[0], right[1])
        taken["4xx"] = (left[0], left[2], left[2], right[0], right[2])
    if latency and latency != "doubt":
        taken.update({f"latency[{j}]": row for j, row in enumerate(latency)})
    return taken


def mixture(increments):
    """ln E of one kind of evidence, from the increments of each usable minute."""
    left, sums = 1.0, [-math.inf] * len(HARM)
    for s, minute in enumerate(increments, 1):
        part = 0.8 if s == 1 else 1 / s
        begins = math.log(part * left)
        left *= 1 - part
        sums = [log_sum([old, begins]) + x for old, x in zip(sums, minute)]
    return log_sum([math.log(left)] + [x - math.log(len(HARM)) for x in sums])


def harm(m, counts, single, alpha):
    """ln E of a metric, and ln of its evidence by minutes."""
    ones, minutes, was_gross = [], [], False
    for n, x, _, n_b, y in counts:
        t, both = theta(n, n_b, m["tau"]), x + y
        one = [x * math.log(r) - both * math.log1p((r - 1) * t) for r in HARM]
        if m["eps"] is not None:
            floor = [x * math.log(r) - (r - 1) * n * m["eps"] for r in HARM]
            one = [min(a, f) for a, f in zip(one, floor)]
        bet = [0.0] * len(HARM)
        if both:
            bet = [math.log1p((r - 1) * x / both) - math.log1p((r - 1) * t) for r in HARM]
        if single:
            bet = [min(value, math.log(4)) for value in bet]
        gross = "j" not in m and x >= 30 and x >= 0.75 * n and y <= 0.1 * n_b
        minutes.append(one if gross and was_gross else bet)
        ones.append(one)
        was_gross = gross
    factor = max(2.0, 1 / (10 * alpha * m["w"])) if single else 2.0
    by_minutes = mixture(minutes)
    return min(mixture(ones), math.log(factor) + by_minutes), by_minutes


def health(m, counts, phi):
    if m["stated"] is not None:
        phi = max(1.0, m["stated"])
    else:
        phi = max(phi, dispersion([[(n, lax), (n_b, y)] for n, _, lax, n_b, y in counts], True)[0])
    ratio, floor = [0.0] * len(HEALTH), [0.0] * len(HEALTH)
    for n, _, x, n_b, y in counts:
        t = theta(n, n_b, m["tau_p"])
        for i, q in enumerate(HEALTH):
            ratio[i] += x * math.log(q) - (x + y) * math.log1p((q - 1) * t)
            floor[i] += x * math.log(q) + (1 - q) * n * (m["eps_p"] or 0)
    by_ratio = log_mean([a / phi for a in ratio])
    if m["eps_p"] is None:
        return by_ratio
    return log_mean([by_ratio, log_mean([a / phi for a in floor])])


def upper_tail(log_pmf, start, stop):
    return math.exp(log_sum([log_pmf(k) for k in range(start, stop + 1)]))


def exam(m, counts):
    x = sum(row[1] for row in counts)
    both = sum(row[1] + row[4] for row in counts)
    mean = sum(max((row[1] + row[4]) * theta(row[0], row[3], m["tau"]),
                   (m["eps"] or 0) * row[0]) for row in counts)
    if x == 0 or x < mean + 1:
        return 1.0
    if m["eps"] is not None:
        return upper_tail(lambda k: k * math.log(mean) - mean - math.lgamma(k + 1), x, x + 2000)
    p = mean / both
    return upper_tail(
        lambda k: math.lgamma(both + 1) - math.lgamma(k + 1) - math.lgamma(both - k + 1)
        + k * math.log(p) + (both - k) * math.log1p(-p), x, both)


def median(values):
    values, middle = sorted(values), len(values) // 2
    return values[middle] if len(values) % 2 else (values[middle - 1] + values[middle]) / 2


def series_objection(cfg, minutes, now):
    for place, one in enumerate(cfg["values"]):
        pairs = []
        for t in range(cfg["warm_up"] + 1, now + 1):
            if t in minutes:
                sides, _ = visible(minutes[t], now)
                pair = [(sides[s].get("values") or [None] * 99)[place] for s in "cb"]
                if None not in pair:
                    pairs.append(pair)
        if len(pairs) < 5:
            continue
        c, b = median([p[0] for p in pairs]), median([p[1] for p in pairs])
        tolerance, least = one.get("tolerance", 1.25), one.get("least", 0)
        c, b = (b, c) if one.get("worse", "more") == "less" else (c, b)
        if c > tolerance * b and c - b > least:
            return f"objection:{one['name']}"
    return None


class Judgement:
    """One scenario, and what has been taken of it."""

    def __init__(self, scenario):
        self.scenario = scenario
        self.cfg = cfg = {**DEFAULTS, **scenario["config"]}
        self.thresholds = len(scenario["thresholds_ms"])
        self.judged, self.watched, self.mode = metrics_of(cfg, self.thresholds)
        self.all = self.judged + self.watched
        measured = measure(scenario.get("hour") or [], self.all)
        self.rule, self.known, self.per_minute = measured
        one_by_one = lambda m: (self.known[m["name"]][1] if m["stated"] is None
                                else m["stated"] <= 1)
        self.single = {m["name"]: not cfg["sticky"] and one_by_one(m) for m in self.all}
        self.expectable = self.per_minute is not None and cfg["share"] is not None
        self.asked = [m for m in self.judged if m.get("j", 0) == 0 or m["j"] == 1 and
                      (not self.expectable or needed(cfg, m, self.known, self.per_minute) <= cfg["end"] / 2)]
        self.minutes = {m["t"]: m for m in scenario["minutes"]}
        self.taken, self.peak, self.harms = [], None, {}

    def rows(self):
        return {m["name"]: [x[m["name"]] for x in self.taken if m["name"] in x]
                for m in self.all}

    def take_up_to(self, now):
        cfg = self.cfg
        timed = self.thresholds if self.mode != "off" else 0
        while len(self.taken) < now:
            t = len(self.taken) + 1
            minute = self.minutes.get(t, {"c": {}, "b": {}})
            one = take(minute, t, now, self.rule, timed, cfg["warm_up"])
            if one is None:
                return
            self.taken.append(one)
            rows = self.rows()
            self.harms = {m["name"]: harm(m, rows[m["name"]], self.single[m["name"]], cfg["alpha"])
                          for m in self.all}
            parts = [math.log(m["w"]) + self.harms[m["name"]][0] for m in self.judged]
            lead = self.judged[parts.index(max(parts))]["name"]
            if sum(r[1] for r in rows[lead]) >= cfg["min_bad"]:
                if self.peak is None or log_sum(parts) > self.peak[0]:
                    self.peak = (log_sum(parts), lead)

    def log_e(self, metrics):
        e_of = lambda m: self.harms[m["name"]][0] if self.harms else 0.0
        return log_sum([math.log(m["w"]) + e_of(m) for m in metrics])

    def enough(self, since):
        usable = lambda need: sum(need in x for t, x in enumerate(self.taken, 1) if t >= since)
        needs = ["errors"] + [m["name"] for m in self.asked if m.get("j") == 0]
        return min(usable(need) for need in needs) >= self.cfg["min_minutes"]

    def exams(self, rows):
        return [(exam(m, rows[m["name"]]) / m["w"], m["name"]) for m in self.judged
                if self.single[m["name"]] and self.harms
                and sum(r[1] for r in rows[m["name"]]) >= self.cfg["min_bad"]
                and self.harms[m["name"]][1] >= math.log(10)]

    def look(self, now):
        cfg, rows = self.cfg, self.rows()
        log_e, objection = self.log_e(self.judged), series_objection(cfg, self.minutes, now)
        if self.watched and self.log_e(self.watched) >= -math.log(cfg["alpha"]):
            objection = "objection:latency"
        promote = min(health(m, rows[m["name"]], self.known[m["name"]][0]) for m in self.asked)
        calm = log_e <= math.log(2) and objection is None
        clear = calm and self.enough(max(s for s in cfg["steps"] if s <= now))
        ended = now >= cfg["end"]
        tested = self.exams(rows) if ended else []
        verdict, why = "continue", None
        if self.peak and self.peak[0] >= -math.log(cfg["alpha"]):
            verdict, why = "rollback", self.peak[1]
        elif tested and min(tested)[0] <= cfg["alpha_exam"]:
            verdict, why = "rollback", f"exam:{min(tested)[1]}"
        elif (calm and now >= cfg["steps"][-1] and self.enough(cfg["steps"][-1])
              and promote >= -math.log(cfg["alpha_promote"])):
            verdict, why = "promote", "non-inferior"
        elif ended:
            verdict, why = "inconclusive", objection or "end of bake"
        return dict(id=self.scenario["id"], t=now, verdict=verdict, why=why, log_e=log_e,
                    log_e_promote=promote, clear=clear)

    def measured(self):
        cfg, expect = self.cfg, None
        if self.expectable:
            slowest = max(needed(cfg, m, self.known, self.per_minute) for m in self.asked)
            expect = math.ceil(max(slowest, cfg["min_minutes"] + cfg["warm_up"]))
            expect += cfg["steps"][-1] - 1
        phis = {m["name"]: max(1.0, m["stated"]) if m["stated"] is not None
                else self.known[m["name"]][0] for m in self.all}
        clumps = {name: [phi, self.single[name]] for name, phi in phis.items()}
        return dict(expect=expect, clumps=clumps, bad=self.rule)


def judge(scenario):
    judgement = Judgement(scenario)
    for now in range(1, judgement.cfg["end"] + 1):
        judgement.take_up_to(now)
        line = judgement.look(now)
        if now == 1:
            line.update(judgement.measured())
        print(json.dumps(line, separators=(",", ":")))
        if line["verdict"] != "continue":
            return


for text in sys.stdin:
    if text.strip():
        judge(json.loads(text))
