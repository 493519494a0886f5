"""Bytes that look like a CSV file, and are often none."""

from hypothesis import strategies as st

_PARTS = [b"a", b"0", b",", b",", b'"', b'"', b"\n", b"\n", b"\r\n", b"\r", b" ", b"\0", "é".encode(), b"\xff"]

MESS = st.lists(st.sampled_from(_PARTS), max_size=40).map(lambda parts: b"".join(parts) + b"\n")
"""Any bytes of that kind, ending with a line feed."""
