"""Hex: Monte Carlo tree search, limited by the number of playouts, so that the same seed plays the same match again.

A playout fills the empty cells at random; exactly one side is then connected. Each node of the tree keeps, for every
cell, how often a playout through the node had that cell as its next move and won, and how often it had the cell at any
later time and won ("all moves as first"). The second count is known much earlier and leads while the first is small
(Gelly and Silver, "Monte-Carlo tree search and rapid action value estimation in computer Go", 2011).
"""

from random import Random

PLAYOUTS = 400
TRUST = 300  # after so many visits of a move, its own count and the all-moves-as-first count weigh about the same


class Node:
    """A position, seen by the side to move. The counts are indexed by cell."""

    def __init__(self, cells):
        self.visits = [0] * cells
        self.wins = [0] * cells
        self.later_visits = [1] * cells  # as if each cell had been tried twice and won once
        self.later_wins = [0.5] * cells
        self.children = {}

    def best_move(self, empty):
        best, best_value = None, -1.0
        for cell in empty:
            visits = self.visits[cell]
            value = self.later_wins[cell] / self.later_visits[cell]
            if visits:
                weight = (TRUST / (3 * visits + TRUST)) ** 0.5
                value = weight * value + (1 - weight) * self.wins[cell] / visits
            if value > best_value:
                best, best_value = cell, value
        return best


class Agent:
    def __init__(self, player_id, info):
        self.random = Random(info["seed"])
        self.size = info["env"]["options"]["size"]
        self.cells = self.size * self.size
        self.seat = player_id
        self.neighbours = [self.around(cell) for cell in range(self.cells)]

    def around(self, cell):
        row, column = divmod(cell, self.size)
        near = ((row - 1, column), (row - 1, column + 1), (row, column - 1), (row, column + 1), (row + 1, column - 1), (row + 1, column))
        return [r * self.size + c for r, c in near if 0 <= r < self.size and 0 <= c < self.size]

    def act(self, seen):
        # The board has 0 for empty, 1 for ours, 2 for theirs.
        board = [1 if ours else 2 if theirs else 0 for row in seen["observation"] for ours, theirs in row]
        mask = seen["action_mask"]
        if len(mask) > self.cells and mask[self.cells] and self.is_central(board.index(2)):
            return self.cells  # the swap: a good first stone is better had than met
        empty = [cell for cell in range(self.cells) if board[cell] == 0]
        self.random.shuffle(empty)  # so that equal moves are not always tried from the top left
        root = Node(self.cells)
        for _ in range(PLAYOUTS):
            self.playout(root, board[:], empty)
        return max(empty, key=lambda cell: root.visits[cell])

    def is_central(self, cell):
        row, column = divmod(cell, self.size)
        return all(self.size <= 4 * place + 2 and 4 * place + 2 <= 3 * self.size for place in (row, column))

    def playout(self, root, board, empty):
        # Down the tree, to the first move that has no node yet.
        path = []
        node, side = root, 1
        left = empty[:]
        while node is not None and left:
            cell = node.best_move(left)
            path.append((node, cell, side))
            left.remove(cell)
            board[cell] = side
            child = node.children.get(cell)
            if child is None and node.visits[cell] > 0:
                child = node.children[cell] = Node(self.cells)
            node, side = child, 3 - side
        # From there on at random.
        self.random.shuffle(left)
        for cell in left:
            board[cell] = side
            side = 3 - side
        winner = 1 if self.connected(board) else 2
        # And back up: every node learns of its own move, and of all cells its side came to hold later.
        played_later = {1: list(left[0::2]), 2: list(left[1::2])}
        if left and board[left[0]] == 2:
            played_later = {1: played_later[2], 2: played_later[1]}
        for node, cell, side in reversed(path):
            won = side == winner
            played_later[side].append(cell)
            node.visits[cell] += 1
            node.wins[cell] += won
            visits, wins = node.later_visits, node.later_wins
            for later in played_later[side]:
                visits[later] += 1
                wins[later] += won

    def connected(self, board):
        """Whether our stones join our two edges, on a full board."""
        size = self.size
        if self.seat == 0:
            stack = [cell for cell in range(size) if board[cell] == 1]
            reached = range(size * (size - 1), size * size)
        else:
            stack = [cell for cell in range(0, size * size, size) if board[cell] == 1]
            reached = range(size - 1, size * size, size)
        for cell in stack:
            board[cell] = 3  # seen
        while stack:
            for cell in self.neighbours[stack.pop()]:
                if board[cell] == 1:
                    board[cell] = 3
                    stack.append(cell)
        return any(board[cell] == 3 for cell in reached)
