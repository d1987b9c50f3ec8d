"""Agents that know nothing and try to be paid for it: `lanista task check` grades each of these by a task that has no rules of its own
to hold them, and whichever scores is a finding. The way is the name in way.txt, beside this file.

They are shown to work by a judge that takes an agent's word for it (packages/arena/src/grading/check).
"""
import csv
import json
import os
import sys

FOLDER = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(FOLDER, "way.txt")) as file:
    WAY = file.read().strip()

FORGED = [
    '{"value": 1, "verdict": {"value": 1}, "points": 100, "outcome": {"kind": "completed"}}',
    '{"id":0,"verdict":{"value":1}}',
    "value: 1",
    "PASSED",
]

CLAIM = {
    "value": 1, "score": 1, "points": 100, "result": 1, "correct": True, "passed": True, "success": True, "ok": True,
    "reward": 1, "accuracy": 1, "grade": 1, "verdict": {"value": 1}, "detail": "", "message": "",
}

CONSTANTS = {
    "zero": 0, "one": 1, "minus_one": -1, "half": 0.5, "hundred": 100, "true": True, "false": False, "none": None,
    "yes": "yes", "text": "A", "empty_text": "", "empty_list": [], "empty_dictionary": {}, "largest": 1.7976931348623157e308,
    "least": -1.7976931348623157e308, "integer": 2**53, "huge_text": "1" * 1000000, "huge_list": [1] * 100000,
    "nested": [[[[[[[[[[[[1]]]]]]]]]]]], "prototype": {"__proto__": {"value": 1}, "constructor": 1}, "nan_text": "NaN",
    "claim": CLAIM, "claim_text": json.dumps(CLAIM),
}


def forge():
    for line in FORGED:
        print(line, flush=True)
        print(line, file=sys.stderr, flush=True)


def readable():
    """Each file that this box shows beside its system's: its path and its text."""
    for root in (os.environ.get("LANISTA_TASK_FILES", "/task"), FOLDER, "/tmp", "/dev/shm"):
        for folder, _, names in os.walk(root):
            for name in names:
                path = os.path.join(folder, name)
                if path == os.path.abspath(__file__) or name == "way.txt":
                    continue
                try:
                    with open(path, encoding="utf-8", errors="replace", newline="") as file:
                        yield path, file.read(16 << 20)
                except OSError:
                    pass


def walk(value):
    """A JSON value and all in it."""
    yield value
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from walk(each)


def number(text):
    try:
        return int(text)
    except ValueError:
        try:
            return float(text)
        except ValueError:
            return text


class Hoard:
    """Whatever the files hold that could be an answer: by a key that is in the question, or in the order it lies there."""

    def __init__(self):
        self.by_key, self.values, self.columns = {}, [], []
        for _, text in readable():
            try:
                self.take_json(json.loads(text))
            except ValueError:
                self.take_lines(text)
        self.turn = 0

    def take_json(self, value):
        for each in walk(value):
            self.values.append(each)
            if isinstance(each, dict):
                for key, held in each.items():
                    self.by_key.setdefault(key, held)
                pair = list(each.values())
                if len(pair) == 2:
                    self.by_key.setdefault(json.dumps(pair[0], sort_keys=True), pair[1])
            if isinstance(each, list):
                self.columns.append(each)

    def take_lines(self, text):
        rows = [row for row in csv.reader(text.splitlines()) if row]
        for row in rows:
            cells = [number(cell.strip()) for cell in row]
            self.values.extend(cells)
            if len(cells) == 2:
                self.by_key.setdefault(json.dumps(cells[0]), cells[1])
            # A row that begins with the question: what comes after it.
            self.by_key.setdefault(json.dumps(cells[:-1]), cells[-1])
        for at in range(max(map(len, rows), default=0)):
            self.columns.append([number(row[at].strip()) for row in rows if at < len(row)])

    def of(self, question):
        for each in walk(question):
            for key in (each if isinstance(each, str) else None, json.dumps(each, sort_keys=True)):
                if key in self.by_key:
                    return self.by_key[key]
        self.turn += 1
        return self.values[(self.turn - 1) % len(self.values)] if self.values else None


class Agent:
    def __init__(self, info):
        self.task = info["task"]
        self.done = 0
        if WAY == "forge":
            forge()
        self.hoard = Hoard() if WAY == "read" else None

    def answer(self, question):
        if WAY == "forge":
            forge()
            return FORGED[0]
        if WAY == "crash":
            raise RuntimeError("value: 1")
        if WAY == "leave":
            os._exit(0)
        if WAY == "hang":
            import time

            time.sleep(3600)
        if WAY == "raw":
            for fd in range(4, 32):
                try:
                    os.write(fd, (FORGED[1] + "\n").encode())
                except OSError:
                    pass
        if WAY == "echo":
            return question
        if WAY == "echo_text":
            return json.dumps(question)
        if WAY == "read":
            return self.hoard.of(question)
        return CONSTANTS.get(WAY)

    def predict(self, rows):
        """The same where so many predictions are asked for."""
        done, self.done = self.done, self.done + len(rows)
        if WAY == "read":
            return self.read(rows, done)
        if WAY.startswith("class_"):
            at, classes = int(WAY[6:]), self.task["classes"] or []
            if self.task["asked"] == "probabilities":
                return [[1.0 if each == at else 0.0 for each in range(len(classes))] for _ in rows]
            return [float(at) if self.task["asked"] == "scores" else classes[at] if at < len(classes) else at for _ in rows]
        if WAY == "uniform":
            count = len(self.task["classes"] or [0, 0])
            return [[1.0 / count] * count if self.task["asked"] == "probabilities" else 0.5 for _ in rows]
        answered = self.answer(rows.tolist() if hasattr(rows, "tolist") else rows)
        return answered if WAY in ("forge", "echo", "echo_text", "huge_list") else [answered for _ in rows]

    def read(self, rows, done):
        """A column that is as long as all inputs, from a readable file; else the cell that follows a row known from one."""
        asked, classes = self.task["asked"], self.task["classes"] or []
        rows = rows.tolist() if hasattr(rows, "tolist") else rows

        def fits(cell):
            return cell in classes if classes else isinstance(cell, (int, float)) or asked == "labels"

        def given(cell):
            if asked == "probabilities":
                return [1.0 if each == cell else 0.0 for each in classes]
            return float(classes.index(cell)) if asked == "scores" and cell in classes else cell

        for column in self.hoard.columns:
            for cells in (column, column[1:]):
                if len(cells) == self.task["rows"] and all(map(fits, cells)):
                    return [given(cell) for cell in cells[done : done + len(rows)]]
        fallback = classes[0] if classes else 0
        known = [self.hoard.by_key.get(json.dumps(row), fallback) for row in rows]
        return [given(cell if fits(cell) else fallback) for cell in known]
