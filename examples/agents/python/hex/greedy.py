"""Hex: follows its own shortest way from edge to edge, as if it were alone on the board.

The shortest way counts the empty cells that are still to be filled; its own stones cost nothing, the opponent's cannot be
passed. Where there are several shortest ways, the seed says which.
"""

from random import Random


class Agent:
    def __init__(self, player_id, info):
        self.random = Random(info["seed"])
        self.size = info["env"]["options"]["size"]
        self.downwards = player_id == 0  # seat 0 goes from the top row to the bottom row, seat 1 from left to right

    def act(self, seen):
        cost = self.costs(seen["observation"])
        empty_on_way = [cell for cell in self.shortest_way(cost) if cost[cell] == 1]
        return self.random.choice(empty_on_way)

    def costs(self, observation):
        """For each cell: 0 if it is ours, 1 if it is empty, None if it is the opponent's."""
        return [0 if ours else None if theirs else 1 for row in observation for ours, theirs in row]

    def neighbours(self, cell):
        row, column = divmod(cell, self.size)
        for r, c in ((row - 1, column), (row - 1, column + 1), (row, column - 1), (row, column + 1), (row + 1, column - 1), (row + 1, column)):
            if 0 <= r < self.size and 0 <= c < self.size:
                yield r * self.size + c

    def edges(self):
        size = self.size
        if self.downwards:
            return range(size), range(size * (size - 1), size * size)
        return range(0, size * size, size), range(size - 1, size * size, size)

    def shortest_way(self, cost):
        """Dijkstra's way with buckets: costs are 0 and 1, so two lists do for a queue."""
        start, goal = self.edges()
        came_from = {}
        now = [(cell, None) for cell in start if cost[cell] == 0]
        later = [(cell, None) for cell in start if cost[cell] == 1]
        goal = set(goal)
        while now or later:
            if not now:
                now, later = later, []
                self.random.shuffle(now)
            cell, before = now.pop()
            if cell in came_from:
                continue
            came_from[cell] = before
            if cell in goal:
                return self.trace(came_from, cell)
            for next_cell in self.neighbours(cell):
                if next_cell not in came_from and cost[next_cell] is not None:
                    (now if cost[next_cell] == 0 else later).append((next_cell, cell))
        raise ValueError("the opponent has won: there is no way left")

    def trace(self, came_from, cell):
        way = []
        while cell is not None:
            way.append(cell)
            cell = came_from[cell]
        return way
