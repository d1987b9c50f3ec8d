"""Connect four: wins if it can, else stops the opponent's win if there is one, else plays as near the middle as it can."""

from random import Random

DIRECTIONS = ((0, 1), (1, 0), (1, 1), (1, -1))


class Agent:
    def __init__(self, player_id, info):
        self.random = Random(info["seed"])

    def act(self, seen):
        # observation[row][column] is (ours, theirs), with the top row first
        board = [[1 if ours else 2 if theirs else 0 for ours, theirs in row] for row in seen["observation"]]
        legal = [column for column, allowed in enumerate(seen["action_mask"]) if allowed]
        for side in (1, 2):
            for column in legal:
                if wins(board, column, side):
                    return column
        middle = (len(seen["action_mask"]) - 1) / 2
        return min(legal, key=lambda column: (abs(column - middle), self.random.random()))


def wins(board, column, side):
    """Whether a disc of the side's in the column would make four in a row."""
    row = max(row for row in range(len(board)) if board[row][column] == 0)
    return any(
        1 + count(board, row, column, dr, dc, side) + count(board, row, column, -dr, -dc, side) >= 4
        for dr, dc in DIRECTIONS
    )


def count(board, row, column, dr, dc, side):
    """How many of the side's discs follow each other from next to the cell in one direction."""
    length = 0
    row, column = row + dr, column + dc
    while 0 <= row < len(board) and 0 <= column < len(board[0]) and board[row][column] == side:
        length += 1
        row, column = row + dr, column + dc
    return length
