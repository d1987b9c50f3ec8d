"""Answers questions for measurements, one JSON line each, until the input ends.

Imported before the peers: what they print, also while they are imported, goes to the log.
"""

import json
import os
import sys
import time

answers = os.fdopen(os.dup(1), "w", buffering=1)
os.dup2(2, 1)


def timed(play, seconds):
    """Calls `play`, which plays some games and returns (games, steps), until the time is over."""
    games = steps = 0
    start = time.perf_counter()
    start_cpu = time.process_time()
    while True:
        played, stepped = play()
        games += played
        steps += stepped
        elapsed = time.perf_counter() - start
        if elapsed >= seconds:
            cpu = time.process_time() - start_cpu
            return {"games": games, "steps": steps, "seconds": elapsed, "cpuSeconds": cpu}


def serve(plays):
    """`plays` maps a name to a function without arguments that makes a `play` for `timed`."""
    answers.write('"ready"\n')
    made = {}
    for line in sys.stdin:
        question = json.loads(line)
        name = question["what"]
        if name not in made:
            made[name] = plays[name]()
        answers.write(json.dumps(timed(made[name], question["seconds"])) + "\n")
