"""Connect four: alpha-beta search on bit boards, limited by positions looked at and not by time, so that the same seed
plays the same match again.

A board is two integers, one for each side's discs. The bit of a cell is column * (rows + 1) + height: each column has one
bit more than it has cells, which stays 0, so that a line shifted off the top of a column does not enter the next one.
"""

from random import Random

POSITIONS = 2000
WIN = 1000


class OutOfPositions(Exception):
    pass


class Agent:
    def __init__(self, player_id, info):
        options = info["env"]["options"]
        self.rows, self.columns = options["rows"], options["columns"]
        self.stride = self.rows + 1
        self.bottom = sum(1 << column * self.stride for column in range(self.columns))
        self.cells = self.bottom * ((1 << self.rows) - 1)
        # From the middle outwards: the earlier good moves are tried, the more alpha-beta cuts. The seed decides between
        # the two sides, and so between equal moves.
        random = Random(info["seed"])
        middle = (self.columns - 1) / 2
        self.order = sorted(range(self.columns), key=lambda column: (abs(column - middle), random.random()))

    def act(self, seen):
        ours = theirs = 0
        for row, cells in enumerate(seen["observation"]):
            for column, (mine, other) in enumerate(cells):
                bit = 1 << column * self.stride + self.rows - 1 - row
                ours |= bit if mine else 0
                theirs |= bit if other else 0
        self.positions = POSITIONS
        best = next(column for column in self.order if seen["action_mask"][column])
        free = bin(self.cells & ~(ours | theirs)).count("1")
        try:
            # One ply deeper each time: when the positions run out, the last whole search holds.
            for depth in range(1, free + 1):
                best, score = self.choose(ours, theirs, depth)
                if abs(score) >= WIN:
                    break
        except OutOfPositions:
            pass
        return best

    def choose(self, ours, theirs, depth):
        best, best_score = None, -2 * WIN
        playable = self.playable(ours, theirs)
        for column in self.order:
            move = playable & self.column(column)
            if not move:
                continue
            if move & self.fourth_cells(ours):
                return column, 2 * WIN
            score = -self.value(theirs, ours | move, depth - 1, -2 * WIN, -best_score)
            if best is None or score > best_score:
                best, best_score = column, score
        return best, best_score

    def value(self, ours, theirs, depth, alpha, beta):
        """What the position is worth to the side to move: at least WIN if it wins by force, the more the sooner."""
        self.positions -= 1
        if self.positions < 0:
            raise OutOfPositions
        playable = self.playable(ours, theirs)
        if not playable:
            return 0
        if self.fourth_cells(ours) & playable:
            return WIN + depth
        threats = self.fourth_cells(theirs)
        if threats & playable:
            playable &= threats  # these must be stopped
            if playable & (playable - 1):
                return -WIN - depth  # and there are two
        if depth <= 0:
            return self.estimate(ours, theirs, threats)
        for column in self.order:
            move = playable & self.column(column)
            if move:
                alpha = max(alpha, -self.value(theirs, ours | move, depth - 1, -beta, -alpha))
                if alpha >= beta:
                    break
        return alpha

    def estimate(self, ours, theirs, threats):
        """Empty cells that would complete four in a row, ours against theirs, and a little for the middle."""
        free = self.cells & ~(ours | theirs)
        middle = self.column(self.columns // 2)
        return (
            8 * (bits(self.fourth_cells(ours) & free) - bits(threats & free))
            + bits(ours & middle)
            - bits(theirs & middle)
        )

    def column(self, column):
        return ((1 << self.rows) - 1) << column * self.stride

    def playable(self, ours, theirs):
        """The lowest free cell of each column."""
        return (ours | theirs) + self.bottom & self.cells

    def fourth_cells(self, discs):
        """All cells that would make four in a row with three of these discs."""
        cells = 0
        for step in (1, self.stride - 1, self.stride, self.stride + 1):
            below, above = discs << step, discs >> step
            two_below, two_above = below & discs << 2 * step, above & discs >> 2 * step
            cells |= two_below & discs << 3 * step  # ooo.
            cells |= two_above & discs >> 3 * step  # .ooo
            cells |= two_below & above  # oo.o
            cells |= two_above & below  # o.oo
        return cells & self.cells


def bits(number):
    return bin(number).count("1")
