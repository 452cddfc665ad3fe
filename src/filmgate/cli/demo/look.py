"""What a film is, read from the file itself."""

from pathlib import Path

from filmgate.cli.shapes import FilmShape


def look(path: Path) -> FilmShape:
    """Open a film and decode it to its last frame; raise OSError where it is none."""
    import av  # noqa: PLC0415  # slow to import
    from av.error import FFmpegError  # noqa: PLC0415  # slow to import

    try:
        with av.open(str(path)) as container:
            picture = container.streams.video[0]
            frames = sum(1 for _ in container.decode(picture))
            sound = container.streams.audio[0].codec_context.name if container.streams.audio else None
            length = 0.0 if container.duration is None else container.duration / av.time_base
            return FilmShape(
                seconds=length,
                width=picture.width,
                height=picture.height,
                fps=float(picture.average_rate or 0),
                frames=frames,
                size_bytes=path.stat().st_size,
                video_codec=picture.codec_context.name,
                audio_codec=sound,
            )
    except (FFmpegError, IndexError) as error:
        raise OSError(f"PyAV cannot read the film: {error}") from error
