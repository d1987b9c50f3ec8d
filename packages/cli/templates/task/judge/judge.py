"""Thinks of a number and answers guesses. Whatever the agent says is only ever compared with what is known here."""
import random


def judge(case, agent):
    most, guesses = case["data"]["most"], case["data"]["guesses"]
    number = random.Random(case["seed"]).randint(most // 3, most)
    said = "guess"
    for used in range(1, guesses + 1):
        guess = agent.ask({"from": 1, "to": most, "said": said})
        # An answer may be anything that JSON has: true is no 1, and a text cannot be compared.
        if type(guess) is not int:
            return {"value": 0, "message": "A guess is an integer."}
        if guess == number:
            return {"value": 1, "detail": "%d guesses" % used, "message": "Found."}
        said = "higher" if guess < number else "lower"
    return {"value": 0, "detail": "it was %d" % number, "message": "Not found in %d guesses." % guesses}
