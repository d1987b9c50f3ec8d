"""Wins where it can, else blocks, else prefers the middle: enough against a random player."""
ROWS, COLUMNS = 6, 7
LINES = [
    [(row + i * down, column + i * right) for i in range(4)]
    for row in range(ROWS) for column in range(COLUMNS)
    for down, right in ((0, 1), (1, 0), (1, 1), (1, -1))
    if 0 <= row + 3 * down < ROWS and 0 <= column + 3 * right < COLUMNS
]


class Agent:
    def act(self, seen):
        board, mask = seen["observation"], seen["action_mask"]
        legal = sorted((c for c in range(COLUMNS) if mask[c]), key=lambda c: abs(c - COLUMNS // 2))
        for whose in (0, 1):  # first my four in a row, then the other's
            for column in legal:
                if self.completes(board, column, whose):
                    return column
        return legal[0]

    def completes(self, board, column, whose):
        """Whether a piece of that player's, dropped into the column, makes four in a row."""
        free = [row for row in range(ROWS) if not any(board[row][column])]
        place = (free[-1], column)
        return any(
            place in line and all(cell == place or board[cell[0]][cell[1]][whose] for cell in line)
            for line in LINES
        )
