"""What a user of the official client does; run by several of its versions. Arguments: base URL, key, folder."""

import json
import sys
from pathlib import Path
from typing import Any


def main(base_url: str, key: str, folder: Path) -> dict[str, Any]:
    import openai

    client: Any = openai.OpenAI(base_url=base_url, api_key=key)
    picture = folder / "frame.png"
    video = client.videos.create_and_poll(
        model="animatic", prompt="a paper boat", seconds="1", size="640x360", poll_interval_ms=100
    )
    framed = client.videos.create(
        model="animatic", prompt="it moves", seconds="1", size="640x360", input_reference=picture
    )
    framed = client.videos.poll(framed.id, poll_interval_ms=100)
    listed = [one.id for one in client.videos.list(limit=1)]
    client.videos.download_content(video.id).write_to_file(folder / "film.mp4")
    gone = client.videos.delete(video.id)
    try:
        client.videos.retrieve(video.id)
        after = "still there"
    except openai.NotFoundError as error:
        after = str(error.code)
    return {
        "version": openai.__version__,
        "statuses": [video.status, framed.status],
        "listed": listed[:2] == [framed.id, video.id],
        "deleted": gone.deleted,
        "after": after,
        "size_bytes": (folder / "film.mp4").stat().st_size,
    }


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))))
