"""What aiVLE's bundles see of Lanista: nothing, unless they look. Python 3.8 or newer, standard library alone."""

import os

# The box's scratch space; in it our own folder, and the bundle's (see grader_side.py).
PLACE = os.environ.get("LANISTA_PLACE", "/tmp")
OURS = os.path.join(PLACE, ".lanista")
GRADING = os.path.join(PLACE, "grading")
