"""Breadth first."""


def answer(question):
    maze, start, end = question["maze"], tuple(question["from"]), tuple(question["to"])
    before, wave = {start: None}, [start]
    while end not in before:
        following = []
        for row, column in wave:
            for cell in ((row, column + 1), (row + 1, column), (row, column - 1), (row - 1, column)):
                inside = 0 <= cell[0] < len(maze) and 0 <= cell[1] < len(maze)
                if inside and maze[cell[0]][cell[1]] == "." and cell not in before:
                    before[cell] = (row, column)
                    following.append(cell)
        wave = following
    path = [end]
    while before[path[-1]] is not None:
        path.append(before[path[-1]])
    return path[::-1]
