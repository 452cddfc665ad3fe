"""The yishang relay's own requests, sent by curl as its document writes them, to a film at the end."""

import time
from pathlib import Path
from typing import Any

import av

from kit.gates import RealGate
from kit.wires import curl

CREATE = """
curl -X POST "{base}/v1/videos" \
-H "Authorization: Bearer {key}" \
-H "Content-Type: application/json" \
-d '{{
"model": "sora-2",
"prompt": "A cat playing piano in the garden",
"size": "720x1280",
"seconds": "5",
"input_reference": ["{picture}"]
}}'
"""
SHOW = """
curl -X GET "{base}/v1/videos/{id}" \
-H "Authorization: Bearer {key}"
"""


def test_the_documents_curls_go_through_its_states_to_a_film(
    gate: RealGate, strict_key: str, pictures: str, tmp_path: Path
) -> None:
    submitted = curl(CREATE.format(base=gate.base_url, key=strict_key, picture=f"{pictures}/image.jpg"))
    assert set(submitted) == {"task_id", "status", "message"}
    assert submitted["status"] == "queued"
    seen: list[dict[str, Any]] = []
    while not seen or seen[-1]["status"] not in {"completed", "failed"}:
        shown = curl(SHOW.format(base=gate.base_url, key=strict_key, id=submitted["task_id"]))
        if not seen or shown != seen[-1]:
            seen.append(shown)
        time.sleep(0.1)
    done = seen[-1]
    assert done["status"] == "completed", done
    assert {status["status"] for status in seen} <= {"queued", "processing", "completed"}
    assert "processing" in {status["status"] for status in seen}
    progress = [status["progress"] for status in seen]
    assert progress == sorted(progress)
    for status in seen:
        if status["status"] == "processing":
            assert set(status) == {"task_id", "status", "progress", "message"}
            assert status["message"] == f"视频生成中,已完成{status['progress']}%"
    assert set(done) == {
        "task_id", "status", "progress", "video_url", "thumbnail_url", "seconds", "width", "height", "file_size",
        "created_at", "completed_at",
    }  # fmt: skip
    film = gate.ask("GET", done["video_url"])
    assert done["video_url"].endswith(".mp4")
    assert len(film.body) == done["file_size"]
    (tmp_path / "film.mp4").write_bytes(film.body)
    with av.open(str(tmp_path / "film.mp4")) as container:
        video = container.streams.video[0]
        frames = sum(1 for _ in container.decode(video))
        assert (video.width, video.height) == (done["width"], done["height"]) == (720, 1280)
        assert frames / float(video.average_rate or 1) == done["seconds"] == 5.0
    thumbnail = gate.ask("GET", done["thumbnail_url"])
    assert (thumbnail.headers["content-type"], thumbnail.body[:3]) == ("image/jpeg", b"\xff\xd8\xff")


def test_a_plain_key_also_reads_id_and_the_film_opens_under_content(gate: RealGate, film_id: str) -> None:
    shown = gate.ask("GET", f"/yishang/v1/videos/{film_id}", key=gate.key)
    assert shown.json["id"] == shown.json["task_id"]
    content = gate.ask("GET", f"/v1/videos/{film_id}/content", key=gate.key)
    assert (content.status, content.headers["content-type"]) == (200, "video/mp4")
    assert content.headers["x-filmgate-task"] == film_id
