"""Leads an agent through mazes. A maze is worth its shortest way's length over the steps the agent took; the score is the mean."""
import pickle
from collections import deque

from agent import create_agent

MAZES = [
    ["S..#", ".#..", "...G"],
    ["S#....", ".#.##.", ".#.#G.", ".#.###", "......"],
    ["S....#..", "####.#.#", ".....#..", ".#####.#", ".......G"],
]
MOVES = {"up": (-1, 0), "down": (1, 0), "left": (0, -1), "right": (0, 1)}
MOST_STEPS = 60


def find(maze, what):
    return next((row, line.index(what)) for row, line in enumerate(maze) if what in line)


def after(maze, place, move):
    row, column = place[0] + MOVES[move][0], place[1] + MOVES[move][1]
    inside = 0 <= row < len(maze) and 0 <= column < len(maze[0])
    return (row, column) if inside and maze[row][column] != "#" else place


def shortest(maze):
    start, goal = find(maze, "S"), find(maze, "G")
    ways, seen = deque([(start, 0)]), {start}
    while ways:
        place, steps = ways.popleft()
        if place == goal:
            return steps
        for move in MOVES:
            following = after(maze, place, move)
            if following not in seen:
                seen.add(following)
                ways.append((following, steps + 1))


def walk(maze, agent):
    place, goal = find(maze, "S"), find(maze, "G")
    agent.reset()
    for steps in range(1, MOST_STEPS + 1):
        place = after(maze, place, agent.step({"maze": list(maze), "place": place}))
        if place == goal:
            return shortest(maze) / steps
    return 0.0


def main():
    detail, error = [], None
    try:
        agent = create_agent(moves=list(MOVES))
        for maze in MAZES:
            detail.append(walk(maze, agent))
    except Exception as raised:
        error = raised
    result = {"name": "mazes", "detail": detail, "value": sum(detail) / len(MAZES), "error": error}
    print(pickle.dumps({"suite_id": "mazes", "results": [{"case_id": 0, "result": result}]}))


if __name__ == "__main__":
    main()
