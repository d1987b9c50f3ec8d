"""Finds the shortest way by breadth-first search at its first step, and then goes it."""
from collections import deque

STEPS = {"up": (-1, 0), "down": (1, 0), "left": (0, -1), "right": (0, 1)}


class Walker:
    def __init__(self, moves):
        self.moves = moves
        self.way = []

    def reset(self):
        self.way = []

    def step(self, state):
        if not self.way:
            self.way = self.search(state["maze"], state["place"])
            print("a way of", len(self.way), "steps")
        return self.way.pop(0)

    def search(self, maze, start):
        ways, seen = deque([(start, [])]), {start}
        while ways:
            place, way = ways.popleft()
            if maze[place[0]][place[1]] == "G":
                return way
            for move in self.moves:
                row, column = place[0] + STEPS[move][0], place[1] + STEPS[move][1]
                inside = 0 <= row < len(maze) and 0 <= column < len(maze[0])
                if inside and maze[row][column] != "#" and (row, column) not in seen:
                    seen.add((row, column))
                    ways.append(((row, column), way + [move]))
        return self.moves


def create_agent(moves):
    return Walker(moves)
