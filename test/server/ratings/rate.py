"""Rates the same results by other people's implementations: openskill's Plackett-Luce, match after match, and choix's
maximum likelihood for pairwise comparisons (by Newton's method, not by the iteration that ours uses).

Reads {"agents": n, "matches": [{"agents": […], "ranks": […]}, …], "prior": p} from standard input, writes
{"openskill": [[mu, sigma], …], "bradley_terry": [elo, …], "points": [[played, points], …]}.
"""

import itertools
import json
import math
import sys

import choix
from openskill.models import PlackettLuce

asked = json.load(sys.stdin)
count = asked["agents"]

model = PlackettLuce(mu=25, sigma=25 / 3, beta=25 / 6, tau=0)
ratings = [model.rating() for _ in range(count)]
pairs = []
points = [[0, 0.0] for _ in range(count)]
for match in asked["matches"]:
    agents, ranks = match["agents"], match["ranks"]
    rated = model.rate([[ratings[agent]] for agent in agents], ranks=ranks)
    for agent, [rating] in zip(agents, rated):
        ratings[agent] = rating
    for one, other in itertools.combinations(range(len(agents)), 2):
        a, b = agents[one], agents[other]
        # Four comparisons a game, so that a draw is two each way and the prior's halves are whole.
        if ranks[one] < ranks[other]:
            pairs += [(a, b)] * 4
        elif ranks[one] > ranks[other]:
            pairs += [(b, a)] * 4
        else:
            pairs += [(a, b), (b, a)] * 2
    first = ranks.count(1)
    for agent, rank in zip(agents, ranks):
        points[agent][0] += 1
        if rank == 1:
            points[agent][1] += 1 if first == 1 else 0.5

# The standard opponent that everybody drew `prior` games with is one more player, number `count`.
halves = asked["prior"] * 2
assert halves == int(halves)
for agent in range(count):
    pairs += [(agent, count), (count, agent)] * int(halves)
strengths = choix.opt_pairwise(count + 1, pairs, alpha=0.0, method="Newton-CG", tol=1e-12)
elos = [400 / math.log(10) * strength for strength in strengths[:count]]
mean = sum(elos) / count

json.dump(
    {
        "openskill": [[rating.mu, rating.sigma] for rating in ratings],
        "bradley_terry": [elo - mean for elo in elos],
        "points": points,
    },
    sys.stdout,
)
