"""Asks one question. Its value is the answer; where a file says how many calls, its detail is what one costs (median, µs)."""
import os
import pickle
import time

from agent import create_agent

agent = create_agent(seed=1)
value = agent.step({"n": 1})
detail = []
if os.path.exists("calls"):
    for n in range(int(open("calls").read())):
        began = time.perf_counter()
        agent.step({"n": n})
        detail.append((time.perf_counter() - began) * 1e6)
result = {"name": "answer", "detail": sorted(detail)[len(detail) // 2] if detail else None, "value": value, "error": None}
print(pickle.dumps({"suite_id": "bench", "results": [{"case_id": 0, "result": result}]}))
