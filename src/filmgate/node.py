"""What the processes of one gate must agree on; the supervisor makes it, and hands it to its children."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self
from uuid import UUID

from filmgate.secrets import write_private
from filmgate.settings import Settings

_VARIABLE: Final = "FILMGATE_NODE"


@dataclass(frozen=True, slots=True)
class Node:
    """`flags` and `config` make every process read the same settings; `database` holds asyncpg's arguments."""

    flags: dict[str, Any]
    config: Path | None
    database: dict[str, Any]
    folder: UUID
    supervisor: UUID
    base_url: str
    direct: dict[str, Any] | None = None
    """The way past a transaction pooler, where `database` leads through one."""

    def settings(self) -> Settings:
        return Settings.load(self.flags, self.config)

    def hand_down(self) -> None:
        """Put it into the environment of the children that this process starts from now on."""
        os.environ[_VARIABLE] = json.dumps(
            {
                "flags": self.flags,
                "config": None if self.config is None else str(self.config),
                "database": self.database,
                "folder": str(self.folder),
                "supervisor": str(self.supervisor),
                "base_url": self.base_url,
                "direct": self.direct,
            },
            default=str,
        )

    @classmethod
    def received(cls) -> Self:
        """Read what the supervisor handed down."""
        said = json.loads(os.environ[_VARIABLE])
        return cls(
            flags=said["flags"],
            config=None if said["config"] is None else Path(said["config"]),
            database=said["database"],
            folder=UUID(said["folder"]),
            supervisor=UUID(said["supervisor"]),
            base_url=said["base_url"],
            direct=said["direct"],
        )


def node_folder(data: Path) -> UUID:
    """Give the identity of a data folder, which outlives every process on it."""
    path = data / "node"
    if not path.exists():
        write_private(path, f"{UUID(bytes=os.urandom(16), version=4)}\n".encode())
    return UUID(path.read_text().strip())
