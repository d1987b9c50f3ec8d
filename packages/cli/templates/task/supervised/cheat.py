"""Tries to be given points for nothing: each way that is found to work belongs in here, and must stay worth nothing."""
import glob


def predict(rows):
    for folder in ("/task", "/agent", "/tmp"):
        for path in glob.glob(folder + "/**/labels.csv", recursive=True):
            with open(path) as file:
                return file.read().split()[1:]
    return ["ripe"] * len(rows)
