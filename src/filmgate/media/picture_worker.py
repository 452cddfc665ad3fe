"""The child that checks one picture, which follows its job on stdin."""

from typing import cast

from filmgate.media.findings import BadPicture, PictureLimits
from filmgate.media.pictures import check_picture
from filmgate.media.worker import Answers, become_nobody, read_job, refusal


def main() -> None:
    answers = Answers()
    job, stdin = read_job()
    limits = PictureLimits(**cast("dict[str, int]", job["limits"]))
    become_nobody()
    try:
        picture = check_picture(stdin.read(), limits, keep_alpha=bool(job["keep_alpha"]))
    except (BadPicture, MemoryError) as error:
        answers.send(refusal(error))
    else:
        size = {"width": picture.width, "height": picture.height}
        answers.send({"found": "picture", "media_type": picture.media_type, **size}, picture.content)


if __name__ == "__main__":
    main()
