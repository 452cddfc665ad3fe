"""The unmodified official client, against a real gate."""

import io
from pathlib import Path

import av
import openai
import pytest
from openai import OpenAI
from PIL import Image

from kit.gates import RealGate

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(scope="session")
def client(gate: RealGate) -> OpenAI:
    return OpenAI(base_url=f"{gate.base_url}/v1", api_key=gate.key)


def test_create_and_poll_list_download_and_delete(client: OpenAI, tmp_path: Path) -> None:
    video = client.videos.create_and_poll(
        model="animatic", prompt="三只鸟飞过海面，日落", seconds="1", size="640x360", poll_interval_ms=100  # type: ignore[arg-type]  # other models than OpenAI's
    )  # fmt: skip
    assert (video.status, video.progress, video.seconds, video.size) == ("completed", 100, "1", "640x360")
    assert video.id.startswith("video_")
    assert video.error is None
    assert video.completed_at is not None
    assert video.created_at <= video.completed_at
    listed = list(client.videos.list(limit=2))
    assert listed[0].id == video.id
    content = client.videos.download_content(video.id)
    path = tmp_path / "film.mp4"
    content.write_to_file(path)
    with av.open(str(path)) as film:
        assert (film.streams.video[0].width, film.streams.video[0].height) == (640, 360)
        assert sum(1 for _ in film.decode(video=0)) == 24
    thumbnail = client.videos.download_content(video.id, variant="thumbnail").read()
    assert Image.open(io.BytesIO(thumbnail)).format == "WEBP"
    assert client.videos.delete(video.id).deleted is True
    with pytest.raises(openai.NotFoundError):
        client.videos.retrieve(video.id)


def test_a_picture_goes_as_a_file_as_bytes_and_as_an_address(
    client: OpenAI, pictures: str, tmp_path: Path
) -> None:
    made = io.BytesIO()
    Image.linear_gradient("L").resize((640, 360)).convert("RGB").save(made, "PNG")
    path = tmp_path / "ref.png"
    path.write_bytes(made.getvalue())
    forms = [
        client.videos.create(model="animatic", prompt="x", seconds="1", size="640x360", input_reference=path),  # type: ignore[arg-type]  # other models than OpenAI's
        client.videos.create(model="animatic", prompt="x", seconds="1", size="640x360", input_reference=made.getvalue()),  # type: ignore[arg-type]  # as above
        client.videos.create(
            model="animatic", prompt="x", seconds="1", size="640x360",  # type: ignore[arg-type]  # as above
            extra_body={"input_reference": {"image_url": f"{pictures}/image.png"}},
        ),
    ]  # fmt: skip
    for video in forms:
        done = client.videos.poll(video.id, poll_interval_ms=100)
        assert done.status == "completed", done


def test_a_remix_varies_a_film_and_names_it(client: OpenAI, film_id: str, gate: RealGate) -> None:
    source = client.videos.retrieve(film_id)
    remix = client.videos.remix(source.id, prompt="the same boat, at dawn, seen from above")
    done = client.videos.poll(remix.id, poll_interval_ms=100)
    assert (done.status, done.remixed_from_video_id) == ("completed", source.id)
    assert (done.model, done.seconds, done.size) == (source.model, source.seconds, source.size)
    assert client.videos.download_content(done.id).read() != client.videos.download_content(film_id).read()
    stranger = client.with_options(api_key=gate.new_key("remixer"))
    for id_ in (source.id, "video_unknown"):
        with pytest.raises(openai.NotFoundError) as raised:
            stranger.videos.remix(id_, prompt="x")
        assert raised.value.code == "task_not_found"


def test_a_chat_is_answered_with_the_film(client: OpenAI) -> None:
    said = client.chat.completions.create(
        model="animatic",
        messages=[{"role": "user", "content": "a paper boat"}],
        extra_body={"seconds": 1, "size": "640x360"},
    )
    assert said.choices[0].finish_reason == "stop"
    assert ".mp4" in (said.choices[0].message.content or "")
    assert said.usage is not None
    assert said.usage.total_tokens == 0


def test_a_chat_is_streamed_piece_by_piece(client: OpenAI) -> None:
    chunks = [
        *client.chat.completions.create(
            model="animatic",
            messages=[{"role": "user", "content": "a paper boat --sandbox=filtered"}],
            extra_body={"seconds": 1, "size": "640x360"},
            stream=True,
        )
    ]
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert "animatic:" in text
    assert len(chunks) > 3
    assert chunks[-1].choices[0].finish_reason == "content_filter"
    with pytest.raises(openai.NotFoundError) as raised:
        client.chat.completions.create(model="gpt-5", messages=[{"role": "user", "content": "hello"}])
    assert (raised.value.code, raised.value.param) == ("model_not_found", "model")


def test_what_is_wrong_is_raised_at_once_with_its_field(client: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as raised:
        client.videos.create(model="sora-2", prompt="x", seconds="5", size="720x1280")  # type: ignore[arg-type]  # wrong on purpose
    assert (raised.value.param, raised.value.code) == ("seconds", "duration_unsupported")
    assert raised.value.request_id
    with pytest.raises(openai.AuthenticationError):
        client.with_options(api_key="sk-nobody").videos.list()


def test_pages_follow_each_other_without_gap_or_repeat(gate: RealGate) -> None:
    key = gate.ask("POST", "/admin/v1/keys", json_body={"name": "pages"}, key="sk-admin").json["key"]
    client = OpenAI(base_url=f"{gate.base_url}/v1", api_key=key)
    made = [
        client.videos.create(model="animatic", prompt=f"boat {no} --sandbox=filtered", seconds="1").id  # type: ignore[arg-type]  # other models than OpenAI's
        for no in range(5)
    ]
    assert [video.id for video in client.videos.list(limit=2)] == made[::-1]
    assert [video.id for video in client.videos.list(limit=3, order="asc")] == made


def test_a_blind_retry_of_the_client_makes_no_second_film(gate: RealGate, client: OpenAI) -> None:
    body = {"model": "animatic", "prompt": "a boat, once --sandbox=filtered", "seconds": "1"}
    first = client.post(
        "/videos", body=body, cast_to=object, options={"headers": {"x-stainless-retry-count": "0"}}
    )
    again = client.post(
        "/videos", body=body, cast_to=object, options={"headers": {"x-stainless-retry-count": "1"}}
    )
    assert first["id"] == again["id"]  # type: ignore[index]  # plain JSON


def test_the_model_list_is_the_openai_form(client: OpenAI) -> None:
    names = [model.id for model in client.models.list()]
    assert {"animatic", "sora-2", "veo3"} <= set(names)
    assert client.models.retrieve("sora-2").object == "model"
