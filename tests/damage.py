"""What may happen to a file on its way."""

from hypothesis import strategies as st


@st.composite
def damaged(draw: st.DrawFn, good: bytes, *tokens: bytes) -> bytes:
    """The content after one to four changes; the tokens are what the format gives a meaning."""
    data = bytearray(good)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        match draw(st.sampled_from(["flip", "cut", "insert", "duplicate", "remove"])):
            case "flip" if at < len(data):
                data[at] ^= draw(st.integers(1, 255))
            case "cut":
                del data[at:]
            case "insert":
                data[at:at] = draw(st.one_of(st.binary(max_size=20), st.sampled_from(tokens)))
            case "duplicate":
                data[at:at] = data[at : at + draw(st.integers(0, 400))]
            case _:
                del data[at : at + draw(st.integers(0, 60))]
    return bytes(data)
