"""What an agent does in a task that asks questions (docs/agent-protocol.md, "ask"); the runner loads this where it is needed.

Values cross as JSON alone. What JSON cannot say exactly is refused here, where the author can be told, and not rounded on the way.
"""

LARGEST = 2**53  # integers beyond it are not exact in JSON
MAX_DEPTH = 28
CALLED = {"questions": ("answer", "ask", "act"), "supervised": ("predict", "answer")}


def plain(value, depth=0):
    """The value as what JSON has: NumPy's arrays and numbers become lists and numbers. Throws a TypeError or ValueError."""
    if value is None or value is True or value is False or type(value) is str:
        return value
    if depth > MAX_DEPTH:
        raise ValueError("an answer is nested deeper than %d" % MAX_DEPTH)
    if type(value) is int:
        if -LARGEST <= value <= LARGEST:
            return value
        raise ValueError("the integer %s is beyond 2^53, which JSON does not hold exactly: give it as a text" % str(value)[:60])
    if type(value) is float:
        if value - value == 0:
            return value
        raise ValueError("%r is not a finite number" % value)
    if isinstance(value, (list, tuple)):
        return [plain(each, depth + 1) for each in value]
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value):
            raise TypeError("the keys of an answer's dictionaries are texts")
        return {str(key): plain(each, depth + 1) for key, each in value.items()}
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            return plain(kind(value), depth)
    if callable(getattr(value, "tolist", None)):  # NumPy's, pandas' and the like
        return plain(value.tolist(), depth + 1)
    raise TypeError("%s is not what an answer can be made of: numbers, texts, lists, dictionaries" % type(value).__name__)


def table(rows, numpy):
    """Rows of numbers as an array where NumPy is there, else as they came."""
    if numpy is None or not rows:
        return rows

    def numeric(value):
        return type(value) in (int, float) or (type(value) is list and all(map(numeric, value)))

    if not all(map(numeric, rows)):
        return rows
    try:
        return numpy.array(rows, dtype=numpy.float64)
    except ValueError:
        return rows  # rows of several lengths


def answer_questions(choose, info, numpy, readline, decode, quote_value, answer, failed):
    supervised = info["task"]["kind"] == "supervised"
    while True:
        line = readline()
        if not line:
            return
        message = decode(line.decode(), 0)[0]
        if message["type"] != "ask":
            continue
        try:
            question = message["question"]
            value = plain(choose(table(question, numpy) if supervised else question))
            data = ('{"id":%d,"answer":%s}\n' % (message["id"], quote_value(value))).encode()
        except BaseException as error:
            data = failed(message["id"], error)
        answer(data)
