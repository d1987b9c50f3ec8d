"""The share of one's moves that went to a corner, of those in which one was free. The record is what the rules say was played."""
CORNERS = (0, 2, 6, 8)


def judge(case, record):
    seat, could, did = record["seat"], 0, 0
    for episode in record["episodes"]:
        for step in episode["steps"]:
            action = step["actions"][seat]
            if action is None:
                continue
            seen = step["observations"][seat]  # two planes a cell: one's own marks, the other's
            if any(seen[2 * cell] == seen[2 * cell + 1] == 0 for cell in CORNERS):
                could += 1
                did += action in CORNERS
    return {"value": did / could, "message": "%d of %d moves went to a free corner." % (did, could)}
