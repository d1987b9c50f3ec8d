"""The same for every hour."""


def predict(rows):
    return [100 for _ in rows]
