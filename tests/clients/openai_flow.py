"""What a user of the official client does; run by several of its versions. Arguments: base URL, key, folder."""

import base64
import json
import re
import sys
from pathlib import Path
from typing import Any

FILM = {"model": "animatic", "seconds": "1", "size": "640x360"}


def main(base_url: str, key: str, folder: Path) -> dict[str, Any]:
    import openai

    client: Any = openai.OpenAI(base_url=base_url, api_key=key)
    video = client.videos.create_and_poll(**FILM, prompt="a paper boat", poll_interval_ms=100)
    framed = client.videos.create(**FILM, prompt="it moves", input_reference=folder / "frame.png")
    framed = client.videos.poll(framed.id, poll_interval_ms=100)
    listed = [one.id for one in client.videos.list(limit=1)]
    client.videos.download_content(video.id).write_to_file(folder / "film.mp4")
    said = {
        "version": openai.__version__,
        "statuses": [video.status, framed.status],
        "listed": listed[:2] == [framed.id, video.id],
        "pictures": pictures(client, folder / "frame.png"),
        "chat": chat(client),
        "streamed": streamed(client),
        "refused": refused(client),
    }
    gone = client.videos.delete(video.id)
    try:
        client.videos.retrieve(video.id)
        after = "still there"
    except openai.NotFoundError as error:
        after = str(error.code)
    size_bytes = (folder / "film.mp4").stat().st_size
    return {**said, "deleted": gone.deleted, "after": after, "size_bytes": size_bytes}


def pictures(client: Any, path: Path) -> dict[str, str]:
    """Send one picture in each form that the client can send; say how each task ended, and why."""
    content = path.read_bytes()
    address = f"data:image/png;base64,{base64.b64encode(content).decode()}"
    forms: dict[str, dict[str, Any]] = {
        "path": {"input_reference": path},
        "bytes": {"input_reference": content},
        "open file": {"input_reference": path.open("rb")},
        "name and bytes": {"input_reference": ("frame.png", content)},
        "name, bytes and type": {"input_reference": ("frame.png", content, "image/png")},
        "object": {"input_reference": {"image_url": address}},
        "object in the extra body": {"extra_body": {"input_reference": {"image_url": address}}},
        "address in the extra body": {"extra_body": {"input_reference": address}},
        "list in the extra body": {"extra_body": {"images": [address]}},
        "object in a JSON body": {
            "extra_headers": {"Content-Type": "application/json"},
            "extra_body": {"input_reference": {"image_url": address}},
        },
    }
    ends = {}
    for name, form in forms.items():
        # The picture is checked, and then nothing is drawn.
        try:
            video = client.videos.create(**FILM, prompt="it moves --sandbox=fail", **form)
        except RuntimeError:
            ends[name] = "not sent by the client"
            continue
        video = client.videos.poll(video.id, poll_interval_ms=50)
        ends[name] = f"{video.status} {video.error.code}"
    return ends


def chat(client: Any) -> list[Any]:
    body = {"seconds": 1, "size": "640x360"}
    messages = [{"role": "user", "content": "a paper boat"}]
    said = client.chat.completions.create(model="animatic", messages=messages, extra_body=body)
    return [said.object, said.choices[0].finish_reason, films(said.choices[0].message.content)]


def streamed(client: Any) -> list[Any]:
    body = {"seconds": 1, "size": "640x360"}
    messages = [{"role": "user", "content": [{"type": "text", "text": "a paper boat"}]}]
    chunks = [
        *client.chat.completions.create(model="animatic", messages=messages, extra_body=body, stream=True)
    ]
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    return [chunks[0].object, chunks[-1].choices[0].finish_reason, films(text)]


def refused(client: Any) -> list[Any]:
    import openai

    try:
        client.chat.completions.create(model="animatic", messages=[{"role": "user", "content": "x"}], n=3)
    except openai.BadRequestError as error:
        return [error.code, error.param]
    return []


def films(text: str) -> int:
    """Count the addresses of films in a text."""
    return len(set(re.findall(r"https?://[^\s)]+\.mp4", text)))


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))))
