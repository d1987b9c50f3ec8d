def act(seen):
    mask = seen["action_mask"]
    return next(cell for cell in (0, 2, 6, 8, 4, 1, 3, 5, 7) if mask[cell])
