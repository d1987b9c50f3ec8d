"""Loaded by schemathesis: puts the world's own values into requests, and counts what was answered.

Drawn by chance alone, no request would ever name a thing that is there. And schemathesis sends again what it was
answered: were the caller's own token or account among that, it would lock itself out.
"""

import atexit
import itertools
import json
import os
import random
from collections import Counter

import schemathesis

VALUES = json.loads(os.environ["LANISTA_FUZZ_VALUES"])
SPARED = set(json.loads(os.environ["LANISTA_FUZZ_SPARED"]))
SHARE = 0.7
numbers = itertools.count()
answers = {}


def put(value, dice):
    if isinstance(value, list):
        return [put(item, dice) for item in value]
    if not isinstance(value, dict):
        return value
    changed = {}
    for key, inner in value.items():
        known = VALUES.get(key)
        if isinstance(inner, str) and inner in SPARED:
            changed[key] = known[0] if known else ""
        elif known is None or dice.random() > SHARE:
            changed[key] = put(inner, dice)
        elif isinstance(inner, str):
            changed[key] = dice.choice(known)
        elif isinstance(inner, list) and all(isinstance(item, str) for item in inner):
            changed[key] = dice.sample(known, min(len(known), 2))
        else:
            changed[key] = put(inner, dice)
    return changed


@schemathesis.hook
def before_call(context, case, kwargs):
    if isinstance(case.body, dict):
        text = json.dumps(case.body, sort_keys=True, default=str)
        dice = random.Random(text)
        case.body = put(case.body, dice)
        # What it draws itself is short, and soon used for another request.
        if case.headers and "Idempotency-Key" in case.headers and dice.random() < SHARE:
            case.headers["Idempotency-Key"] = f"fuzz-{os.getpid()}-{next(numbers)}"


@schemathesis.hook
def after_call(context, case, response):
    name = case.operation.path.rsplit(".", 1)[-1]
    answers.setdefault(name, Counter())[response.status_code] += 1


@atexit.register
def write():
    with open(os.environ["LANISTA_FUZZ_ANSWERS"], "w", encoding="utf-8") as file:
        json.dump(answers, file)
