"""Pong has no peer on PyPI, so this is a second implementation, written from RL Arena's rules and not from ours."""

import math
import random

import numpy as np

from golden import Golden

DEFAULTS = {
    "width": 1.0,
    "height": 1.0,
    "paddle_height": 0.2,
    "paddle_speed": 0.05,
    "ball_speed": 0.02,
    "ball_radius": 0.02,
    "points_to_win": 11,
    "max_steps": 1000,
}


class Pong:
    def __init__(self, rng, **options):
        vars(self).update(DEFAULTS | options)
        self.rng = rng
        self.paddles = [self.height / 2, self.height / 2]
        self.scores = [0, 0]
        self.drawn = []
        self.serve()

    def uniform(self, low, high):
        self.drawn.append(self.rng.uniform(low, high))
        return self.drawn[-1]

    def serve(self):
        angle = self.uniform(-math.pi / 4, math.pi / 4)
        right = self.rng.randrange(2)
        self.drawn.append(right)
        self.ball = [self.width / 2, self.height / 2]
        self.velocity = [self.ball_speed * math.cos(angle) * (1 if right else -1), self.ball_speed * math.sin(angle)]

    def step(self, actions):
        """Returns both rewards."""
        for player, action in enumerate(actions):
            if action == 0:
                self.paddles[player] = max(0.0, self.paddles[player] - self.paddle_speed)
            elif action == 2:
                self.paddles[player] = min(self.height, self.paddles[player] + self.paddle_speed)
        self.ball = [at + by for at, by in zip(self.ball, self.velocity)]
        if not 0 < self.ball[1] < self.height:
            self.velocity[1] *= -1
            self.ball[1] = min(max(self.ball[1], 0.0), self.height)
        x, y = self.ball
        for player, reached in enumerate((x - self.ball_radius <= 0.05, x + self.ball_radius >= self.width - 0.05)):
            if reached and abs(y - self.paddles[player]) <= self.paddle_height / 2:
                self.velocity[0] = abs(self.velocity[0]) * (-1 if player else 1)
                self.velocity[1] += self.uniform(-0.01, 0.01)
        if 0 < x < self.width:
            return [0, 0]
        scorer = 1 if x <= 0 else 0
        self.scores[scorer] += 1
        self.serve()
        return [-1, 1] if scorer else [1, -1]

    def observe(self):
        return self.ball + self.velocity + self.paddles + self.scores

    def observe_mirrored(self):
        (x, y), (vx, vy) = self.ball, self.velocity
        return [self.width - x, y, -vx, vy] + self.paddles[::-1] + self.scores[::-1]


def follow(pong, player, rng):
    """Towards the ball, most of the time."""
    if rng.random() < 0.2:
        return rng.randrange(3)
    gap = pong.ball[1] - pong.paddles[player]
    return 1 if abs(gap) < pong.paddle_speed / 2 else 2 if gap > 0 else 0


def aimless(pong, player, rng):
    return rng.randrange(3)


def as_float32(values):
    """To ten places: closer than the replay compares."""
    return [round(float(np.float32(value)), 10) for value in values]


def episode(golden, rng, options, policies, mirrored=False):
    pong = Pong(rng, **options)

    def fields():
        chance, pong.drawn = pong.drawn, []
        seen = {"chance": chance or None, "obs0": as_float32(pong.observe())}
        return seen | ({"obs1": as_float32(pong.observe_mirrored())} if mirrored else {})

    golden.episode(**fields())
    totals = [0, 0]
    for step in range(1, pong.max_steps + 1):
        actions = [policy(pong, player, rng) for player, policy in enumerate(policies)]
        reward = pong.step(actions)
        totals = [total + one for total, one in zip(totals, reward)]
        golden.step(*actions, reward=reward, **fields())
        over = max(pong.scores) >= pong.points_to_win
        if over or step == pong.max_steps:
            return golden.end("terminated" if over else "truncated", **{"return": totals})


def write(out):
    with Golden(out, "pong", "the second implementation in scripts/goldens/games") as golden:
        rng = random.Random(7)
        golden.env("pong")
        episode(golden, rng, {}, (aimless, aimless))
        for options, policies, episodes in (
            ({"points_to_win": 2}, (follow, aimless), 2),
            ({"max_steps": 200}, (follow, follow), 1),
            ({"points_to_win": 3, "paddle_height": 0.6, "ball_speed": 0.07, "paddle_speed": 0.3}, (follow, aimless), 2),
            ({"points_to_win": 2, "width": 2.5, "height": 0.5, "ball_radius": 0.1, "ball_speed": 0.05}, (aimless, follow), 2),
            ({"max_steps": 60, "ball_speed": 0.005, "width": 0.2}, (follow, follow), 1),
        ):
            golden.env("pong", **options)
            for _ in range(episodes):
                episode(golden, rng, options, policies)
        golden.env("pong", points_to_win=1, mirrored=True)
        for _ in range(2):
            episode(golden, rng, {"points_to_win": 1}, (aimless, follow), mirrored=True)
