"""What aiVLE's worker does with a pair of zips, step by step, but for firejail: it adds nothing to what comes out.

original.py VENV GRADER AGENT FOLDER RAM_MIB SECONDS [PACKAGES…]: prints {ok, raw_log, result, error} as JSON. The result is unpickled by
this very Python, as the worker does outside of any sandbox: give it one without the bundle's packages, as a worker has.
"""
import json
import os
import pickle
import resource
import shutil
import subprocess
import sys
from ast import literal_eval

venv, grader, agent, folder, ram_mib, seconds = sys.argv[1:7]
upstream = ":".join(sys.argv[7:])


def limit():
    if int(ram_mib) > 0:  # firejail --rlimit-as
        resource.setrlimit(resource.RLIMIT_AS, (int(ram_mib) * 1024 * 1024,) * 2)


# The agent's files go over the grader's.
shutil.copytree(grader, folder)
shutil.copytree(agent, folder, dirs_exist_ok=True)
log = os.path.join(folder, "stdout.log")
environment = {"PATH": venv + "/bin:/usr/bin", "HOME": folder, "PYTHONDONTWRITEBYTECODE": "1"}
if upstream:  # what pip would have installed from GitHub
    environment["PYTHONPATH"] = upstream
error_type = None
with open(log, "wb") as output:
    process = subprocess.Popen(
        ["bash", "./bootstrap.sh"], cwd=folder, env=environment, stdout=output, stderr=output, preexec_fn=limit
    )
    try:
        process.wait(float(seconds))
    except subprocess.TimeoutExpired:
        error_type = "TLE"
        process.kill()  # The worker leaves it running. Its tests should not.
with open(log, "rb") as file:
    raw_log = file.read().decode("utf-8", "replace")
lines = raw_log.splitlines()
result = None
try:
    result = lines[0]  # its line 1: firejail writes one before
    value = pickle.loads(literal_eval(result))
    print(json.dumps({"ok": True, "raw_log": raw_log, "result": result, "error": None, "shown": repr(value)}))
except Exception:
    error = "MLE" if "MemoryError" in lines else error_type or "RE"
    print(json.dumps({"ok": False, "raw_log": raw_log, "result": None, "error": error}))
