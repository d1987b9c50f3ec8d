"""The frames between a box and the host: a length (of all that follows), a kind, a session, a payload.

Little-endian: u32 length, u8 kind, u32 session. The host bounds the length and so do we: what is longer is refused here
already, so that its sender learns of it.
"""

import struct

HEAD = struct.Struct("<IBI")
LARGEST = 16 * 1024 * 1024

# Host to box
START, ANSWER, FAILURE, GONE = 1, 2, 3, 4
# Grader's box to host
STDOUT, STDERR, OPEN, ASK, INTERRUPT, SHUT, UNSPLIT, END = 16, 17, 18, 19, 20, 21, 22, 23


def frame(kind, session, payload):
    return HEAD.pack(len(payload) + 5, kind, session) + payload


class Reader:
    """Frames from a function that gives some bytes, or none at the end."""

    def __init__(self, read):
        self.read = read
        self.buffer = b""

    def pop(self):
        """The next whole frame in the buffer, or None."""
        buffer = self.buffer
        if len(buffer) < 9:
            return None
        length, kind, session = HEAD.unpack_from(buffer)
        if length < 5 or length > LARGEST:
            raise ValueError("a frame of %d bytes" % length)
        end = length + 4
        if len(buffer) < end:
            return None
        self.buffer = buffer[end:]
        return kind, session, buffer[9:end]

    def next(self):
        """The next frame; None at the end."""
        while True:
            found = self.pop()
            if found is not None:
                return found
            data = self.read()
            if not data:
                return None
            self.buffer = self.buffer + data if self.buffer else data
