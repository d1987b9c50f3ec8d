"""The steps of aiVLE's worker for one submission after another, without its broker and site: what a grading costs there.

aivle_worker.py GRADER_ZIP AGENT_ZIP FOLDER SUBMISSIONS CONCURRENCY: prints {"seconds", "firejail"} as JSON. Both zips are unpacked
into one folder, the cached virtual environment is found by the digest of requirements.txt, bootstrap.sh runs in firejail where it
is installed, the log is read and the result unpickled, the folder is removed.
"""
import hashlib
import json
import os
import pickle
import shutil
import subprocess
import sys
import time
import zipfile
from ast import literal_eval
from concurrent.futures import ThreadPoolExecutor

grader, agent, folder, submissions, concurrency = sys.argv[1:6]
firejail = shutil.which("firejail")
venvs = os.path.join(folder, "venvs")

PROFILE = """caps.drop all
machine-id
netfilter
nonewprivs
noroot
protocol unix,inet,inet6
seccomp
disable-mnt
private-cache
private-dev
"""


def create_venv(requirements):
    with open(requirements, "r") as file:
        name = hashlib.md5(file.read().encode("ascii")).hexdigest()
    place = os.path.join(venvs, name)
    if not os.path.exists(place):
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", place], check=True)
    return place


def grade(number):
    home = os.path.join(folder, "job-%d" % number)
    os.mkdir(home)
    for archive in (grader, agent):
        with zipfile.ZipFile(archive) as opened:
            opened.extractall(home)
    venv = create_venv(os.path.join(home, "requirements.txt"))
    log = os.path.join(home, "stdout.log")
    if firejail:
        words = [firejail, "--profile=" + os.path.join(folder, "aivle.profile"), "--env=PATH=%s/bin:/usr/bin" % venv]
        words += ["--output-stderr=" + log, "--private=" + home, "bash", "./bootstrap.sh"]
        # From the home folder, which --private replaces.
        subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=os.path.expanduser("~"))
    else:
        with open(log, "wb") as file:
            environment = {"PATH": venv + "/bin:/usr/bin"}
            subprocess.run(["bash", "./bootstrap.sh"], cwd=home, env=environment, stdout=file, stderr=file)
    with open(log, "r") as file:
        lines = [line for line in file.read().replace("\x07", "\n").splitlines() if line.startswith("b'")]
    shutil.rmtree(home)
    return pickle.loads(literal_eval(lines[0]))


def main():
    with open(os.path.join(folder, "aivle.profile"), "w") as file:
        file.write(PROFILE)
    grade(0)  # the environment is warm from here on
    began = time.perf_counter()
    with ThreadPoolExecutor(int(concurrency)) as pool:
        for value in pool.map(grade, range(1, int(submissions) + 1)):
            assert value["results"][0]["result"]["value"] == 2, value
    print(json.dumps({"seconds": time.perf_counter() - began, "firejail": bool(firejail)}))


main()
