#!/usr/bin/env python3
"""A second, slow and plain implementation of the canary judge, written from the formulas.

It sums over every start minute explicitly instead of using the recursion, so that the two
implementations share no shortcut. It prints the offline contract, and made expected.jsonl beside it:
`python3 reference.py < ../../examples/judge/scenarios.jsonl > expected.jsonl`.
"""
import json
import math
import sys

R = [1.2, 1.4, 1.7, 2, 2.5, 3.5, 5, 8, 15, 40, 200]
Q = [.05, .1, .2, .3, .4, .5, .6, .7, .8, .9]
DEFAULTS = dict(alpha=.005, alpha_exam=.005, alpha_promote=.05, tau=1.1, eps=1e-4, tau_promote=2.0,
                eps_promote=1e-3, w_errors=.5, w_latency=.125, dispersion_errors=1.0,
                dispersion_latency=1.0, min_bad=3, min_minutes=5, end=30)
WAIT = 3
PROMOTING = ('errors', 'latency[1]', 'latency[2]')


def lse(xs):
    top = max(xs)
    return -math.inf if top == -math.inf else top + math.log(math.fsum(math.exp(x - top) for x in xs))


def prior(s):
    return .8 if s == 1 else .2 / (s * (s - 1))


def harm(steps):
    """ln E of a list of per-minute lists of increments, one increment for each r."""
    t = len(steps)
    terms = [math.log(1 - math.fsum(prior(s) for s in range(1, t + 1)))] if t == 0 else []
    rest = .2 / t if t else 0  # 1 - sum of the prior up to t telescopes to 0.2 / t
    if rest:
        terms.append(math.log(rest))
    for i in range(len(R)):
        for s in range(1, t + 1):
            terms.append(math.log(prior(s) / len(R)) + math.fsum(step[i] for step in steps[s - 1:]))
    return lse(terms)


def plain(steps):
    if not steps:
        return 0.0
    return lse([math.fsum(step[i] for step in steps) for i in range(len(Q))]) - math.log(len(Q))


def binom_tail(n, p, k):
    """P[Bin(n, p) >= k] by direct summation."""
    if k <= 0:
        return 1.0
    logs = [math.lgamma(n + 1) - math.lgamma(i + 1) - math.lgamma(n - i + 1) + i * math.log(p) + (n - i) * math.log1p(-p)
            for i in range(k, n + 1)]
    return math.exp(lse(logs)) if logs else 0.0


def poisson_tail(lam, k):
    return 1.0 - math.fsum(math.exp(-lam + i * math.log(lam) - math.lgamma(i + 1)) for i in range(k)) if lam else float(k <= 0)


class Metric:
    def __init__(self, name, weight, phi, tau, eps, read):
        self.name, self.weight, self.phi, self.tau, self.eps, self.read = name, weight, phi, tau, eps, read
        self.rows = []  # (n_c, x_c, n_b, x_b, x_c for promotion)
        self.next = 0
        self.log_e = 0.0
        self.log_p = 0.0

    def update(self, cfg):
        ratio, floor, pr, pf = [], [], [], []
        for nc, xc, nb, xb, xp in self.rows:
            m = xc + xb
            th = self.tau * nc / (self.tau * nc + nb)
            ratio.append([(xc * math.log(r) - m * math.log(1 + (r - 1) * th)) / self.phi for r in R])
            floor.append([(xc * math.log(r) - (r - 1) * nc * self.eps) / self.phi for r in R])
            m, tp = xp + xb, cfg['tau_promote'] if self.name == 'errors' else 1.0
            th = tp * nc / (tp * nc + nb)
            pr.append([(xp * math.log(q) - m * math.log(1 + (q - 1) * th)) / self.phi for q in Q])
            pf.append([(xp * math.log(q) + (1 - q) * nc * cfg['eps_promote']) / self.phi for q in Q])
        self.log_e = min(harm(ratio), harm(floor)) if self.eps else harm(ratio)
        self.log_p = lse([plain(pr), plain(pf)]) - math.log(2) if self.eps else plain(pr)

    def bad(self):
        return sum(r[1] for r in self.rows)

    def exam_p(self, cfg):
        x = self.bad()
        if x < cfg['min_bad']:
            return 1.0
        ms = [r[1] + r[3] for r in self.rows]
        ths = [self.tau * r[0] / (self.tau * r[0] + r[2]) for r in self.rows]
        total = sum(ms)
        th = sum(m * t for m, t in zip(ms, ths)) / total
        x, total = math.floor(x / self.phi), math.ceil(total / self.phi)
        if x < total * th + 1:
            return 1.0
        p = binom_tail(total, th, x)
        return max(p, poisson_tail(self.eps * sum(r[0] for r in self.rows), x)) if self.eps else p


def metrics_of(sc, cfg):
    lat = len(sc['thresholds_ms'])

    def errors(see):
        return see('c.n'), see('c.bad'), see('b.n'), see('b.bad'), see('c.bad')

    def latency(j):
        return lambda see: (see('c.n'), see('c.slow_r', j), see('b.n'), see('b.slow', j), see('c.slow_p', j) if j in (1, 2) else 0)

    metrics = [Metric('errors', cfg['w_errors'] if lat else 1.0, cfg['dispersion_errors'], cfg['tau'], cfg['eps'], errors)]
    return metrics + [Metric(f'latency[{j}]', cfg['w_latency'], cfg['dispersion_latency'], 1.0, 0.0, latency(j)) for j in range(lat)]


def take_minutes(me, by_t, now):
    """Reads the minutes that have arrived at `now`, and skips those that are too late."""
    while me.next < now:
        t = me.next + 1
        m = by_t.get(t, {'c': {}, 'b': {}})

        def see(path, j=None):
            if m.get('seen', {}).get(path, 0) > now:
                return None
            side, field = path.split('.')
            v = m[side].get(field)
            return v[j] if j is not None and v else v
        row = me.read(see)
        if None in row:
            if now - t < WAIT:
                break
        elif row[0] > 0 and row[2] > 0:
            me.rows.append(row)
        me.next += 1


def verdict_of(metrics, cfg, now, harmed, family, promote):
    """The verdict at `now` with its reason. `harmed` is the metric that leads the harm, if that is proven."""
    if harmed:
        return 'rollback', harmed
    is_over = now >= cfg['end']
    if is_over:
        for me in metrics:
            if me.exam_p(cfg) <= me.weight * cfg['alpha_exam']:
                return 'rollback', 'exam:' + me.name
    fewest = min(len(me.rows) for me in metrics if me.name in PROMOTING)
    if promote >= -math.log(cfg['alpha_promote']) and fewest >= cfg['min_minutes'] and family <= math.log(2):
        return 'promote', 'non-inferior'
    return ('inconclusive', 'end of bake') if is_over else ('continue', None)


def judge(sc):
    cfg = {**DEFAULTS, **sc['config']}
    metrics = metrics_of(sc, cfg)
    highest, who, out = -math.inf, None, []
    by_t = {m['t']: m for m in sc['minutes']}
    for now in range(1, cfg['end'] + 1):
        for me in metrics:
            take_minutes(me, by_t, now)
            me.update(cfg)
        family = lse([math.log(me.weight) + me.log_e for me in metrics])
        lead = max(metrics, key=lambda me: math.log(me.weight) + me.log_e)
        if lead.bad() >= cfg['min_bad'] and family > highest:
            highest, who = family, lead.name
        promote = min(me.log_p for me in metrics if me.name in PROMOTING)
        harmed = who if highest >= -math.log(cfg['alpha']) else None
        verdict, why = verdict_of(metrics, cfg, now, harmed, family, promote)
        out.append(dict(id=sc['id'], t=now, verdict=verdict, why=why, log_e=family, log_e_promote=promote))
        if verdict != 'continue':
            return out
    return out


if __name__ == '__main__':
    for line in sys.stdin:
        if line.strip():
            for o in judge(json.loads(line)):
                print(json.dumps(o))
