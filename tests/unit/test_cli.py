"""The commands given something wrong: one line on stderr that says what, and an exit code."""

import json
import os
import sqlite3
import time
from pathlib import Path

import pytest

from homeroom.base.keys import fingerprint
from homeroom.base.settings import Settings
from homeroom.cli.group import main
from homeroom.folder import open_store
from tests.support import process
from tests.support.process import CommandFailed, typed

SID = "1000001"
WRONG = [
    ("school create --name ", 1, "a name has 1 to 200 printable characters"),
    ("school create --name a\tb", 1, "a name has 1 to 200 printable characters"),
    ("school create", 2, "Missing option '--name'"),
    ("school show 7", 1, "no school has the SID 7"),
    ("school show seven", 2, "Invalid value for 'SID'"),
    ("school show 0", 2, "Invalid value for 'SID'"),
    ("school show 99999999999999999999", 2, "Invalid value for 'SID'"),
    (f"school set {SID}", 2, "Missing argument"),
    (f"school set {SID} live", 2, "'live' is not KEY=VALUE"),
    (f"school set {SID} =off", 2, "'=off' is not KEY=VALUE"),
    (f"school set {SID} lives=off", 1, "lives: no such key; known are time_zone"),
    (f"school set {SID} max_labels=-1", 1, "max_labels=-1: must be >= 0"),
    (f"school set {SID} frame_origins=*", 1, "frame_origins=*: must be as https://"),
    (f"school set {SID} time_zone=Mars", 1, "time_zone=Mars: no such time zone"),
    ("school set 7 live=off", 1, "no school has the SID 7"),
    ("school rotate-secret 7", 1, "no school has the SID 7"),
    (f"school rotate-secret {SID} --drop-former", 1, "has no former secret"),
    ("sign", 2, "Missing option '--sid'"),
    ("sign --sid 7", 1, "no school has the SID 7"),
    ("subaccount add 7 1", 1, "no school has the SID 7"),
    (f"subaccount add {SID} 7", 1, "no user has the UID 7"),
    (f"subaccount add {SID} 1", 1, "UID 1 is the school account itself"),
    (f"subaccount remove {SID} 1", 1, "UID 1 is no sub-account"),
    ("subaccount list 7", 1, "no school has the SID 7"),
    ("teacher list 7", 1, "no school has the SID 7"),
    ("teacher add 7 13800000000 --name x", 1, "no school has the SID 7"),
    (f"teacher add {SID} 13800000000", 2, "Missing option '--name'"),
    (f"teacher add {SID} 7 --name x", 1, "no user is known as 7; a telephone number is"),
    (f"teacher add {SID} 13800000000 --name ", 2, "a name has 1 to 24 printable characters"),
    (f"teacher edit {SID} 7 --name x", 1, "no user is known as 7"),
    (f"teacher edit {SID} 1 --name x", 1, "UID 1 is no teacher of the school"),
    (f"teacher cancel {SID} 1", 1, "not a teacher of the school"),
    (f"teacher restart {SID} 1", 1, "not a teacher of the school"),
    ("student list 7", 1, "no school has the SID 7"),
    (f"student add {SID} 1 --name x", 1, "the school account cannot be a student"),
    (f"student edit {SID} 1 --name x", 1, "UID 1 is no student of the school"),
    (f"student cancel {SID} 1", 1, "UID 1 is no student of school"),
    ("user show nobody@example.com", 1, "no user is known as nobody@example.com"),
    ("user show 99999999999999999999999", 1, "no user is known as 9999"),
    ("user cancel 7", 1, "no user is known as 7"),
    ("user cancel 1", 1, f"UID 1 is the school account of school {SID}"),
    ("course set 7 kind=public", 1, "no course has the id 7"),
    ("course set 7 kind=open", 1, "kind=open: must be one of standard, public, dual"),
    ("course set 7 name=x", 1, "name: no such key; known is kind"),
    ("course list 7", 1, "no school has the SID 7"),
    ("course add 7 --name x", 1, "no school has the SID 7"),
    (f"course add {SID}", 2, "Missing option '--name'"),
    (f"course add {SID} --name x --expires soon", 2, "'soon' is neither epoch seconds nor"),
    (f"course add {SID} --name x --expires 5", 1, "expiry must be at least one day ahead"),
    ("course edit 7", 1, "say what to change, as --name or --expires"),
    ("course edit 7 --name x", 1, "no course has the id 7"),
    ("course cancel 7", 1, "no course has the id 7"),
    ("course delete 7", 1, "no course has the id 7"),
    ("class list 7", 1, "no school has the SID 7"),
    ("class add 7 --name x --begin 1 --end 2 --teacher 1", 1, "no course has the id 7"),
    ("class add 7 --name x --begin 1 --end 2", 2, "Missing option '--teacher'"),
    ("class edit 7", 1, "say what to change, as --name or --begin"),
    ("class edit 7 --name x", 1, "no class has the id 7"),
    ("class edit 7 --seats many", 2, "Invalid value for '--seats'"),
    ("class cancel 7", 1, "no class has the id 7"),
    ("class set 7 origin=v1", 1, "no class has the id 7"),
    ("class set 7 origin=web", 1, "origin=web: must be one of v1, client, lms"),
    ("class guest 7", 1, "say either --add UID or --remove UID"),
    ("class guest 7 --add 1 --remove 1", 1, "say either --add UID or --remove UID"),
    ("class guest 7 --add 1", 1, "no class has the id 7"),
    ("class close 7", 1, "no class has the id 7"),
    ("stream 7", 1, "no class has the id 7"),
    ("stream 7 --new-key", 1, "no class has the id 7"),
    ("clip add 7 film.mp4", 1, "no class has the id 7"),
    ("clip list 7", 1, "no class has the id 7"),
    ("viewers 7", 1, "no class has the id 7"),
    ("viewers 7 --csv", 1, "no class has the id 7"),
    ("viewers seven", 2, "Invalid value for 'CLASS_ID'"),
    ("chat show 7", 1, "no class has the id 7"),
    ("chat delete 7", 2, "Missing argument 'MESSAGE_ID'"),
    ("chat delete 7 1", 1, "no class has the id 7"),
    ("chat pause 7", 1, "no class has the id 7"),
    ("chat mute 7 x", 2, "Invalid value for 'VIEWER_ID'"),
    ("preset add 7 Small", 1, "no school has the SID 7"),
    (f"preset add {SID} ", 1, "a name has 1 to 200 printable characters"),
    ("preset list 7", 1, "no school has the SID 7"),
    ("folder set 7 writable=1", 1, "no folder has the id 7"),
    ("folder set 7 writable=maybe", 1, "writable=maybe: must be one of 1, 0"),
    ("maintenance add --from 5", 2, "Missing option '--to'"),
    ("maintenance add --from 10 --to 10", 1, "must end after it begins"),
    ("maintenance add --from noon --to 10", 2, "'noon' is neither epoch seconds nor ISO 8601"),
    ("maintenance add --from -5 --to 10", 2, "'-5' is neither epoch seconds nor ISO 8601"),
    ("maintenance add --from 9999999999999 --to 10", 2, "is neither epoch seconds nor ISO"),
    ("maintenance remove 7", 1, "no maintenance window has the id 7"),
    ("token create --school 7", 1, "no school has the SID 7"),
    ("token create --name ", 1, "a name has 1 to 200 printable characters"),
    ("token revoke 7", 1, "no token in force has the id 7"),
    ("migrate --database mysql://localhost/x", 1, "database must begin with postgresql://"),
    # Case S9: the list of processes would show the password.
    *(
        (f"{words} --database postgresql://u:p@127.0.0.1:1/x", 1, "--database must have no pass")
        for words in ("serve", "doctor", "migrate", "school list")
    ),
    ("school list --database-file none", 1, "database_file: none: No such file"),
    ("serve --port 65536", 2, "Invalid value for '--port'"),
    ("serve --public-url example.com", 1, "public_url must begin with http:// or https://"),
    ("doctor now", 2, "unexpected extra argument"),
    ("scool list", 2, "No such command 'scool'"),
]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a school in a data folder."""
    folder = tmp_path_factory.mktemp("data")
    typed("school", "create", "--name", "School", "--data", str(folder))
    return folder


@pytest.mark.parametrize(("words", "code", "said"), WRONG, ids=[words for words, _, _ in WRONG])
def test_what_is_wrong_is_one_line(data: Path, words: str, code: int, said: str) -> None:
    place = [] if words.startswith("scool") else ["--data", str(data)]

    with pytest.raises(CommandFailed) as failed:
        typed(*words.split(" "), *place)

    assert failed.value.code == code
    assert failed.value.stdout == ""
    (line,) = failed.value.stderr.splitlines()
    assert line.startswith("homeroom: ")
    assert said in line


def test_every_command_has_help_that_names_the_place_of_the_data() -> None:
    for name, command in main.commands.items():
        assert typed(name, "--help").startswith(f"Usage: homeroom {name} ")
        for verb in getattr(command, "commands", {}):
            shown = typed(name, verb, "--help")
            assert "--data DIR" in shown, (name, verb)
            assert "--database URL" in shown, (name, verb)
            assert "--database-file FILE" in shown, (name, verb)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("0", "1970-01-01T00:00:00+00:00"),
        ("1798761599", "2026-12-31T23:59:59+00:00"),
        ("2026-12-24", "2026-12-24T00:00:00+00:00"),
        ("2026-12-24T22:00", "2026-12-24T22:00:00+00:00"),
        ("2026-12-24T22:00Z", "2026-12-24T22:00:00+00:00"),
        ("2026-12-24T22:00+08:00", "2026-12-24T14:00:00+00:00"),
        ("2026-12-24 22:00:30.5", "2026-12-24T22:00:30+00:00"),
    ],
)
def test_a_time_is_epoch_seconds_or_iso_8601(data: Path, text: str, moment: str) -> None:
    window = ["--from", text, "--to", "2099-01-01"]

    window_of = json.loads(typed("maintenance", "add", *window, "--json", "--data", str(data)))

    assert window_of["from"] == moment


def test_only_the_fingerprint_of_a_token_is_kept(data: Path) -> None:
    made = json.loads(typed("token", "create", "--json", "--data", str(data)))

    with open_store(Settings(data=data)) as store:
        kept = store.read(lambda uow: uow.tokens.find_by_fingerprint(fingerprint(made["token"])))

    assert kept is not None
    assert kept.school is None
    for file in data.glob("homeroom.db*"):
        assert made["token"].encode() not in file.read_bytes()


def test_lists_are_tables_or_say_that_there_is_nothing(tmp_path: Path) -> None:
    place = ["--data", str(tmp_path)]
    typed("migrate", *place)

    assert typed("school", "list", *place) == "There are no schools.\n"
    assert typed("token", "list", *place) == "There are no tokens.\n"
    assert typed("maintenance", "list", *place) == "There are no maintenance windows.\n"
    assert json.loads(typed("school", "list", "--json", *place)) == []
    typed("school", "create", "--name", "First", *place)
    header, row = typed("school", "list", *place).splitlines()
    assert header.split() == ["sid", "name", "owner", "suspended"]
    assert row.split() == [SID, "First", "1", "no"]


def test_a_database_of_another_version_is_left_alone(tmp_path: Path) -> None:
    place = ["--data", str(tmp_path)]
    typed("migrate", *place)
    database = sqlite3.connect(tmp_path / "homeroom.db", isolation_level=None)
    database.execute("UPDATE alembic_version SET version_num = '9999'")
    database.close()

    with pytest.raises(CommandFailed, match="of another version of Homeroom"):
        typed("school", "list", *place)
    with pytest.raises(CommandFailed, match="fail  tables"):
        typed("doctor", *place)


def test_the_doctor_finds_recordings_that_became_no_clip(tmp_path: Path) -> None:
    place = ["--data", str(tmp_path)]
    typed("migrate", *place)
    folder, spool = tmp_path / "media" / "recordings", tmp_path / "media" / "spool"
    folder.mkdir(parents=True)
    spool.mkdir()
    for name in ("lost", "fresh", "running", "told"):
        (folder / f"{name}.mp4").write_bytes(b"a recording")
        if name != "fresh":
            os.utime(folder / f"{name}.mp4", (time.time() - 90,) * 2)
    (folder / "running.json").write_text("{}")
    (spool / "1.json").write_text('{"action": "on_dvr", "file": "told.mp4"}')
    typed("doctor", "--fix", *place)

    found = {one["check"]: one for one in json.loads(typed("doctor", "--json", *place))}

    said = found["stray recordings"]
    assert said["state"] == "warn"
    assert said["said"].startswith("1 became no clip, as lost.mp4: ")


def test_the_doctor_looks_where_another_server_records(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, folder = tmp_path / "homeroom.toml", tmp_path / "recordings"
    config.write_text(
        'media = "external"\nrtmp_url = "rtmp://a"\nmedia_url = "http://a"\n'
        f'media_folder = "{folder}"\n'
    )
    monkeypatch.setitem(process.PLAIN, "HOMEROOM_CONFIG", str(config))
    place = ["--data", str(tmp_path / "data")]
    typed("migrate", *place)

    assert "is not there" in said_of("recordings", place)
    folder.mkdir()
    assert "GB free" in said_of("recordings", place)


def said_of(check: str, place: list[str]) -> str:
    found = json.loads(typed("doctor", "--json", *place))
    return next(str(one["said"]) for one in found if one["check"] == check)


def test_the_key_of_pull_addresses_is_shown(tmp_path: Path) -> None:
    place = ["--data", str(tmp_path)]
    typed("migrate", *place)
    shown = json.loads(typed("media", "keys", "--json", *place))
    with open_store(Settings(data=tmp_path)) as store:
        key = store.read(lambda uow: uow.server_keys.get("pull_key"))
    assert shown == {"pull_key": key}


def test_the_doctor_finds_a_broken_database(tmp_path: Path) -> None:
    (tmp_path / "homeroom.db").write_bytes(bytes(range(256)) * 64)

    with pytest.raises(CommandFailed, match=r"fail  database +the database is damaged"):
        typed("doctor", "--data", str(tmp_path))
