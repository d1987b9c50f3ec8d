"""The straight way, walls or not."""


def answer(question):
    last = question["to"][0]
    return [[0, column] for column in range(last + 1)] + [[row, last] for row in range(1, last + 1)]
