"""The program of every box that grades one of aiVLE's bundles; its first frame says which of them it is.

    host ── frames ──> this program ── grader: runs bootstrap.sh, and passes frames between it and the host
                                    └─ agent:  answers the grader's questions (agent_side.py)

Descriptors 0 and 1 are the host's channel, 3 another one, where there is one, for the first process of the grader's; before anything of a bundle runs they are moved, descriptor 0 becomes an empty
input and descriptor 1 the log. Python 3.8 or newer, standard library alone.
"""

import json
import os
import resource
import sys

GUEST = os.path.dirname(os.path.abspath(__file__))
SHIM = os.path.join(GUEST, "shim")
sys.path[:0] = [SHIM]
os.environ["LANISTA_PLACE"] = os.environ.get("TMPDIR", "/tmp")

from lanista_shim import GRADING, frames  # noqa: E402


WIRE = 3


def private_stdio():
    channel_in, channel_out = os.dup(0), os.dup(1)
    empty, write_end = os.pipe()
    os.close(write_end)
    os.dup2(empty, 0)
    os.close(empty)
    os.dup2(2, 1)
    sys.stdout.reconfigure(line_buffering=True)
    return channel_in, channel_out


def copy_tree(source, target):
    os.mkdir(target)
    for entry in os.scandir(source):
        to = os.path.join(target, entry.name)
        if entry.is_dir(follow_symlinks=False):
            copy_tree(entry.path, to)
            continue
        with open(entry.path, "rb") as from_file, open(to, "wb") as to_file:
            while True:
                data = from_file.read(1 << 20)
                if not data:
                    break
                to_file.write(data)
        os.chmod(to, entry.stat().st_mode & 0o755 | 0o600)


def limit_address_space(size):
    if size is not None:
        resource.setrlimit(resource.RLIMIT_AS, (size, size))


def main():
    channel_in, channel_out = private_stdio()
    # What the roles need is there before the first frame: in a warm box it is done while nobody waits.
    import agent_side
    import grader_side

    reader = frames.Reader(lambda: os.read(channel_in, 65536))
    found = reader.next()
    if found is None:
        return
    config = json.loads(found[2])
    wire = WIRE if config["wire"] else None
    if wire is not None and config["role"] != "grader":
        os.close(wire)
    copy_tree(config["from"], GRADING)
    upstream = [os.path.join(GUEST, "upstream", name) for name in config["upstream"]]
    if config["role"] == "grader":
        grader_side.run(reader, channel_in, channel_out, wire, config, [SHIM, *upstream])
    else:
        limit_address_space(config["addressSpace"])
        config["guest"] = GUEST
        sys.path.remove(SHIM)
        sys.path += upstream
        agent_side.serve(reader, channel_in, channel_out, config)


if __name__ == "__main__":
    main()
