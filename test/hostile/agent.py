"""An agent that speaks the protocol by itself and breaks it, or its box, in the way that argv names.

It behaves until its first question (the ways that begin with "start_" do not even get there), then does its misdeed and
waits; nothing that it uses up goes on for ever. `honest` and `honest_slow` play the first legal action: the opponents, and the proof that this program can.
"""
import ctypes
import json
import os
import resource
import sys
import time


def read():
    line = sys.stdin.buffer.readline()
    if not line:
        sys.exit(0)
    return json.loads(line)


def write(data):
    data = data if isinstance(data, bytes) else data.encode()
    while data:
        data = data[os.write(1, data):]


def question():
    while True:
        message = read()
        if message["type"] == "act":
            return message


def legal(message):
    return message["action_mask"].index(1)


def answer(message, action):
    write(json.dumps({"id": message["id"], "action": action}) + "\n")


def raw_action(text):
    """An answer whose action is this piece of JSON, or of what only looks like JSON."""
    return lambda message: write('{"id":%d,"action":%s}\n' % (message["id"], text))


def spin():
    """A process that burns CPU for good."""
    if os.fork() == 0:
        while True:
            pass


def herd(_):
    """Processes that wake together for a moment: their waits for each other add up to more than all of the time."""
    for _ in range(16):
        if os.fork() == 0:
            until = time.monotonic() + 30
            while time.monotonic() < until:
                time.sleep(0.02 - time.monotonic() % 0.02)
                busy = time.perf_counter() + 0.0001
                while time.perf_counter() < busy:
                    pass
            os._exit(0)
    time.sleep(60)


def thinks(message, seconds=0.65):
    """Uses a good part of its own time, in vain."""
    while True:
        time.sleep(seconds)
        answer(message, legal(message))
        message = question()


def works(message, seconds=0.02):
    """An honest agent that needs the CPU for a while."""
    while True:
        until = time.process_time() + seconds
        while time.process_time() < until:
            pass
        answer(message, legal(message))
        message = question()


def works_too_long(message):
    works(message, 1.5)


def burns_and_thinks(message):
    """As above; and processes of its own go on while the opponent thinks."""
    for _ in range(4):
        spin()
    thinks(message)


def thinks_ahead_within_reason(message):
    """Some CPU in the opponent's time, that its clock covers."""
    while True:
        answer(message, legal(message))
        until = time.process_time() + 0.02
        while time.process_time() < until:
            pass
        message = question()


def byte_by_byte(message):
    for byte in json.dumps({"id": message["id"], "action": legal(message)}).encode():
        write(bytes([byte]))
        time.sleep(1)


def huge_line(_):
    for _ in range(16384):
        write(b"x" * 65536)


def flood_log(_):
    for _ in range(16384):
        os.write(2, b"x" * 65536)


def eat_memory(_):
    kept = []
    for _ in range(512):
        kept.append(bytes(bytearray(b"x") * (1 << 20)))


def fill_scratch(_):
    with open("/tmp/large", "wb", buffering=0) as file:
        for _ in range(512):
            try:
                file.write(b"x" * (1 << 20))
            except OSError:
                time.sleep(0.01)


def fork_bomb(_):
    """Every process forks. It bounds itself as well: a wall that does not stand shall not cost the host more than this."""
    resource.setrlimit(resource.RLIMIT_NPROC, (1000, 1000))
    until = time.monotonic() + 5
    while time.monotonic() < until:
        try:
            os.fork()
        except OSError:
            time.sleep(0.001)
    os._exit(0)


def kill_everything(_):
    """All that it can reach: in its own namespace, and the process that it believes to be its runtime."""
    for pid in (-1, os.getppid(), 1, 2, 3, 4):
        for number in (9, 15, 6):
            if pid != os.getpid():
                try:
                    os.kill(pid, number)
                except OSError:
                    continue
    os.kill(os.getpid(), 9)
    os._exit(137)


def close_pipes(_):
    os.close(1)
    os.close(0)
    time.sleep(60)


WAYS = {
    # Protocol
    "garbage": lambda m: write(os.urandom(200).replace(b"\n", b"x") + b"\n"),
    "nul_bytes": lambda m: write(b"\0" * 100 + b"\n"),
    "not_json": lambda m: write("my move is 4\n"),
    "print_before_answer": lambda m: write("thinking...\n" + json.dumps({"id": m["id"], "action": legal(m)}) + "\n"),
    "blank_lines": lambda m: write("\n" * 100000),
    "array": lambda m: write("[%d,0]\n" % m["id"]),
    "half_line": lambda m: write('{"id":%d,"act' % m["id"]),
    "no_newline": lambda m: write(json.dumps({"id": m["id"], "action": legal(m)})),
    "huge_line": huge_line,
    "long_line": lambda m: write(json.dumps({"id": m["id"], "action": legal(m)}) + " " * 70000 + "\n"),
    "deep_arrays": lambda m: write('{"id":%d,"action":' % m["id"] + "[" * 30000 + "]" * 30000 + "}\n"),
    "deep_objects": lambda m: write('{"a":' * 10000 + "1" + "}" * 10000 + "\n"),
    "nan": raw_action("NaN"),
    "infinity": raw_action("Infinity"),
    "minus_infinity": raw_action("-Infinity"),
    "overflow": raw_action("1e999"),
    "text": raw_action('"4"'),
    "null": raw_action("null"),
    "true": raw_action("true"),
    "list": raw_action("[4]"),
    "object": raw_action("{}"),
    "hexadecimal": raw_action("0x4"),
    "leading_zero": raw_action("04"),
    "beyond_2_53": raw_action("9007199254740994"),
    "far_beyond_2_53": raw_action("1e300"),
    "many_digits": raw_action("1" * 60000),
    "no_id": lambda m: write('{"action":4}\n'),
    "no_action": lambda m: write('{"id":%d}\n' % m["id"]),
    "more_keys": lambda m: write('{"id":%d,"action":4,"reward":1}\n' % m["id"]),
    "proto_key": lambda m: write('{"id":%d,"action":4,"__proto__":{"isAdmin":true}}\n' % m["id"]),
    "proto_instead": lambda m: write('{"__proto__":{"id":%d,"action":4}}\n' % m["id"]),
    "constructor_key": lambda m: write('{"id":%d,"constructor":{"prototype":{"action":4}}}\n' % m["id"]),
    "to_string": lambda m: write('{"id":%d,"action":{"valueOf":4,"toString":4}}\n' % m["id"]),
    "wrong_id": lambda m: write('{"id":%d,"action":4}\n' % (m["id"] ^ 1)),
    "text_id": lambda m: write('{"id":"%d","action":4}\n' % m["id"]),
    "id_past_32_bits": lambda m: write('{"id":%d,"action":4}\n' % (m["id"] + 2**32)),
    "fractional_id": lambda m: write('{"id":%d.5,"action":4}\n' % m["id"]),
    "two_answers": lambda m: write(('{"id":%d,"action":%d}\n' % (m["id"], legal(m))) * 2),
    "other_second_answer": lambda m: write('{"id":%d,"action":0}\n{"id":%d,"action":1}\n' % (m["id"], m["id"])),
    "ready_again": lambda m: write('{"type":"ready","protocol":1}\n'),
    "question_back": lambda m: write(json.dumps(m) + "\n"),
    "invalid_utf8": lambda m: write(b'{"id":%d,"action":4,"\xff":1}\n' % m["id"]),
    "invalid_utf8_in_text": lambda m: write(b'{"id":%d,"error":"\xc3\x28"}\n' % m["id"]),
    "surrogate_utf8": lambda m: write(b'{"id":%d,"error":"\xed\xa0\x80"}\n' % m["id"]),
    "overlong_utf8": lambda m: write(b'{"id":%d,"error":"\xc0\xaf"}\n' % m["id"]),
    "byte_order_mark": lambda m: write(b'\xef\xbb\xbf{"id":%d,"action":4}\n' % m["id"]),
    "utf16": lambda m: write(('{"id":%d,"action":4}\n' % m["id"]).encode("utf-16-le")),
    # Actions
    "negative": raw_action("-1"),
    "too_large": raw_action("9"),
    "fraction": raw_action("0.5"),
    "at_2_53": raw_action("9007199254740992"),
    "occupied": lambda m: answer(m, m["action_mask"].index(0)),
    # Time
    "byte_by_byte": byte_by_byte,
    "stops_reading": lambda m: time.sleep(60),
    "hangs_busy": lambda m: spin() or time.sleep(60),
    "herd": herd,
    "works": works,
    "works_too_long": works_too_long,
    "thinks": thinks,
    "burns_and_thinks": burns_and_thinks,
    "thinks_ahead_within_reason": thinks_ahead_within_reason,
    # The box
    "exits": lambda m: os._exit(0),
    "crashes": lambda m: os._exit(3),
    "segfaults": lambda m: ctypes.string_at(0),
    "says_error": lambda m: write('{"id":%d,"error":"I give up"}\n' % m["id"]),
    "closes_pipes": close_pipes,
    "flood_log": flood_log,
    "eat_memory": eat_memory,
    "fill_scratch": fill_scratch,
    "fork_bomb": fork_bomb,
    "kill_everything": kill_everything,
}


def main(way):
    if way == "start_never_ready":
        time.sleep(60)
    if way == "start_exits":
        os._exit(1)
    if way == "start_garbage":
        write("hello\n")
    start = read()
    if way == "start_cannot":
        write('{"id":null,"error":"ImportError: no such thing"}\n')
        time.sleep(60)
    if way == "start_wrong_protocol":
        write('{"type":"ready","protocol":2}\n')
    if way == "start_early_answer":
        write('{"type":"ready","protocol":1}\n{"id":0,"action":4}\n')
    else:
        write('{"type":"ready","protocol":1}\n')
    assert start["type"] == "start"
    while way in ("honest", "honest_slow") or way.startswith("start_"):
        message = question()
        if way == "honest_slow":
            time.sleep(0.6)
        answer(message, legal(message))
    message = question()
    if way == "out_of_turn":
        answer(message, legal(message))
        write('{"id":%d,"action":4}\n' % ((message["id"] + 1) % 2**32))
        time.sleep(60)
    if way == "occupied":
        while 0 not in message["action_mask"]:
            answer(message, legal(message))
            message = question()
    WAYS[way](message)
    time.sleep(60)


if __name__ == "__main__":
    main(sys.argv[1])
