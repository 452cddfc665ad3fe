import pytest

from filmgate.media.messages import LINE_BYTES, PAYLOAD_BYTES, Message, MessageReader, NotAMessageError

SPOKEN = b'{"done": 1}\n{"name": "webp", "payload_bytes": 5}\na\nb\n\n{"done": 2}\n'
HEARD = [
    Message({"done": 1}),
    Message({"name": "webp", "payload_bytes": 5}, b"a\nb\n\n"),
    Message({"done": 2}),
]


@pytest.mark.parametrize("size", [1, 2, 7, len(SPOKEN)])
def test_messages_are_the_same_in_pieces_of_any_size(size):
    reader = MessageReader()
    heard = [
        message
        for start in range(0, len(SPOKEN), size)
        for message in reader.read(SPOKEN[start : start + size])
    ]
    assert heard == HEARD


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        (b"Warning: something\n", "'Warning: something' is no JSON object"),
        (b"[1]\n", "'[1]' is no JSON object"),
        (b"\xff\xfe\n", "'��' is no JSON object"),
        (b'{"payload_bytes": -1}\n', f"payload_bytes is -1, not 0 to {PAYLOAD_BYTES}"),
        (b'{"payload_bytes": "9"}\n', f"payload_bytes is '9', not 0 to {PAYLOAD_BYTES}"),
        (b'{"payload_bytes": 1e12}\n', f"payload_bytes is 1000000000000.0, not 0 to {PAYLOAD_BYTES}"),
        (b"x" * (LINE_BYTES + 1), f"a line is longer than {LINE_BYTES} bytes"),
    ],
)
def test_what_is_no_message_is_refused(said, complaint):
    with pytest.raises(NotAMessageError) as refused:
        list(MessageReader().read(said))
    assert str(refused.value) == complaint
