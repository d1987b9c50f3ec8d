"""The mean of the hours that are most alike."""
import json
import os


class Agent:
    def __init__(self):
        with open(os.path.join(os.environ["LANISTA_TASK_FILES"], "public", "hours.json")) as file:
            self.known = json.load(file)

    def predict(self, rows):
        return [self.hires(row) for row in rows]

    def hires(self, row):
        def distance(known):
            hours = abs(known["hour"] - row["hour"])
            return min(hours, 24 - hours) ** 2 + ((known["degrees"] - row["degrees"]) / 2) ** 2 + 30 * (known["rain"] != row["rain"])

        nearest = sorted(self.known, key=distance)[:4]
        return sum(known["hires"] for known in nearest) / len(nearest)
