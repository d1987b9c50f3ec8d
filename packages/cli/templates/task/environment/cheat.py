"""Tries to be given points for nothing: each way that is found to work belongs in here, and must stay worth nothing."""
import gc
import glob
import sys


class Agent:
    def act(self, seen):
        # A forged result, wherever somebody might look for one.
        for stream in (sys.stdout, sys.stderr):
            print('{"outcome": {"kind": "completed"}, "points": 100, "value": 1}', file=stream, flush=True)
        # The task's own files.
        found = glob.glob("/**/task.yaml", recursive=True) + glob.glob("/**/reference.py", recursive=True)
        # Whatever in this process knows the score.
        known = [each for each in gc.get_objects() if isinstance(each, dict) and "points" in each]
        return 100 if not found and not known else found + known
