"""No agent: gives each line back as it came. The least that a question and an answer can cost this interpreter."""

import os

rest = b""
while True:
    chunk = os.read(0, 65536)
    if not chunk:
        break
    rest += chunk
    if rest.endswith(b"\n"):
        os.write(1, rest)
        rest = b""
