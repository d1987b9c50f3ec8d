"""Says of each fruit what most of the five most alike were."""
import csv
import os
from collections import Counter


class Agent:
    def __init__(self):
        path = os.path.join(os.environ["LANISTA_TASK_FILES"], "public", "train.csv")
        with open(path, newline="") as file:
            self.known = [((float(row["weight"]), float(row["colour"])), row["label"]) for row in csv.DictReader(file)]

    def predict(self, rows):
        return [self.label(weight, colour) for weight, colour in rows]

    def label(self, weight, colour):
        def distance(fruit):
            return ((fruit[0][0] - weight) / 100) ** 2 + (fruit[0][1] - colour) ** 2

        nearest = sorted(self.known, key=distance)[:5]
        return Counter(label for _, label in nearest).most_common(1)[0][0]
