"""Settings: from the environment and a file, and the sample that shows them."""

import re
import tomllib
from pathlib import Path

import pytest

from homeroom.base.settings import Settings, SettingsError, has_password, parse_settings

SAMPLE = Path(__file__).parents[2] / "docs" / "homeroom.sample.toml"
COMMENTED = re.compile(r"^# (?=\w+ = )", re.MULTILINE)


def test_the_sample_file_has_every_setting_with_its_default() -> None:
    shown = tomllib.loads(COMMENTED.sub("", SAMPLE.read_text()))

    defaults = Settings()
    assert tuple(shown) == Settings.__struct_fields__
    for name, value in shown.items():
        default = getattr(defaults, name)
        assert default is None or str(value) == str(default), name


def test_every_setting_of_the_sample_has_a_comment_before_it() -> None:
    lines = SAMPLE.read_text().splitlines()

    for line, before in zip(lines[1:], lines, strict=False):
        if COMMENTED.match(line):
            assert before.startswith("# "), line


def test_the_sample_file_can_be_used(tmp_path: Path) -> None:
    file = tmp_path / "homeroom.toml"
    text = COMMENTED.sub("", SAMPLE.read_text())
    file.write_text(re.sub(r"^database = .*$", "", text, flags=re.MULTILINE))
    address = tmp_path / "database"
    address.write_text("postgresql://homeroom@localhost/homeroom")

    settings = parse_settings({"HOMEROOM_CONFIG": str(file)}, {"database_file": address})

    assert settings.public_url == "https://classes.example.org"


def test_an_option_wins_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "homeroom.toml"
    file.write_text('port = 1\nstop_delay = 1\nhost = "file"\n')
    environment = {"HOMEROOM_CONFIG": str(file), "HOMEROOM_PORT": "2", "HOMEROOM_STOP_DELAY": "2"}

    settings = parse_settings(environment, {"port": 3, "stop_delay": None})

    assert (settings.port, settings.stop_delay, settings.host) == (3, 2, "file")


def test_an_empty_variable_is_an_absent_one() -> None:
    assert parse_settings({"HOMEROOM_PORT": ""}, {}).port == Settings().port


@pytest.mark.parametrize("text", ["1", "true", "True"])
def test_a_switch_is_on(text: str) -> None:
    assert parse_settings({"HOMEROOM_SANDBOX": text}, {}).sandbox


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("PORT", "eighty"),
        ("PORT", "65536"),
        ("PORT", "-1"),
        ("WORKERS", "0"),
        ("WORKERS", "65"),
        ("STOP_DELAY", "-1"),
        ("SANDBOX", "perhaps"),
        ("LOG_LEVEL", "loud"),
        ("DATABASE", "mysql://localhost/x"),
        ("PUBLIC_URL", "classes.example.com"),
        ("RTMP_URL", "https://classes.example.com"),
        ("PUSH_URL", "https://classes.example.com"),
        ("MEDIA_API", "srs.example.com:1985"),
        ("MEDIA", "srs"),
        ("RTMP_PORT", "65536"),
        ("MEDIA_PORT", "-1"),
        ("PULL_DAYS", "0"),
        ("COALESCE_MS", "1001"),
        ("ROTATE_MINUTES", "0"),
    ],
)
def test_a_bad_setting_is_named(name: str, text: str) -> None:
    with pytest.raises(SettingsError, match=name.lower()):
        parse_settings({f"HOMEROOM_{name}": text}, {})


def test_several_processes_need_postgresql() -> None:
    workers = {"HOMEROOM_WORKERS": "2"}
    with pytest.raises(SettingsError, match="workers above 1 needs PostgreSQL: SQLite has one"):
        parse_settings(workers, {})
    database = {"HOMEROOM_DATABASE": "postgresql://localhost/x"}
    assert parse_settings({**workers, **database}, {}).workers == 2


def test_the_address_for_browsers_is_an_ip_address() -> None:
    assert (
        parse_settings({"HOMEROOM_WEBRTC_ADDRESS": "2001:db8::7"}, {}).webrtc_address
        == "2001:db8::7"
    )

    with pytest.raises(SettingsError, match="webrtc_address must be an IP address"):
        parse_settings({"HOMEROOM_WEBRTC_ADDRESS": "classes.example.com"}, {})


@pytest.mark.parametrize("missing", ["RTMP_URL", "MEDIA_URL"])
def test_an_external_engine_needs_its_pull_addresses(missing: str) -> None:
    environment = {
        "HOMEROOM_MEDIA": "external",
        "HOMEROOM_RTMP_URL": "rtmp://pull.example.com",
        "HOMEROOM_MEDIA_URL": "https://pull.example.com",
    }
    assert parse_settings(environment, {}).media == "external"

    del environment[f"HOMEROOM_{missing}"]

    with pytest.raises(SettingsError, match="needs rtmp_url and media_url"):
        parse_settings(environment, {})


@pytest.mark.parametrize("content", [b"port = ", b"prot = 1", b"\xff"])
def test_a_bad_file_is_said_to_be_one(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "homeroom.toml"
    file.write_bytes(content)

    with pytest.raises(SettingsError):
        parse_settings({"HOMEROOM_CONFIG": str(file)}, {})


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"none\.toml: No such file"):
        parse_settings({"HOMEROOM_CONFIG": str(tmp_path / "none.toml")}, {})


ADDRESS = "postgresql://homeroom:a word@db.example.org:5432/homeroom"


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_the_address_of_the_database_comes_from_a_file(tmp_path: Path, ending: str) -> None:
    file = tmp_path / "database"
    file.write_text(ADDRESS + ending)

    assert parse_settings({"HOMEROOM_DATABASE_FILE": str(file)}, {}).database == ADDRESS
    assert parse_settings({}, {"database_file": file}).database == ADDRESS


def test_the_stronger_source_names_the_database(tmp_path: Path) -> None:
    file = tmp_path / "database"
    file.write_text(ADDRESS)
    other = "postgresql://other.example.org/homeroom"

    by_variable = parse_settings({"HOMEROOM_DATABASE": other}, {"database_file": file})
    by_option = parse_settings({"HOMEROOM_DATABASE_FILE": str(file)}, {"database": other})

    assert (by_variable.database, by_option.database) == (ADDRESS, other)


@pytest.mark.parametrize("content", [None, b"", b"mysql://localhost/x", b"\xff\xfe"])
def test_a_file_without_an_address_is_one_line(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "database"
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(SettingsError, match="database"):
        parse_settings({"HOMEROOM_DATABASE_FILE": str(file)}, {})


def test_one_source_names_the_database_once(tmp_path: Path) -> None:
    names = {"HOMEROOM_DATABASE": ADDRESS, "HOMEROOM_DATABASE_FILE": str(tmp_path)}

    with pytest.raises(SettingsError, match="the environment has database and database_file"):
        parse_settings(names, {})


@pytest.mark.parametrize(
    ("address", "is_secret"),
    [
        ("postgresql://homeroom@localhost/homeroom", False),
        ("postgresql:///homeroom?host=/run&user=a@b:c", False),
        ("postgresql://[::1]:5432/homeroom", False),
        ("postgresql://u@h1:1,h2:2/x?target_session_attrs=read-write", False),
        ("postgresql://homeroom:pass@localhost/homeroom", True),
        ("postgresql://homeroom:pa@ss@localhost/homeroom", True),
        ("postgresql://u:p@h1:1,h2:2/x", True),
        ("postgresql:///homeroom?user=u&password=p", True),
        ("postgresql:///homeroom?user=u&pass%77ord=p", True),
        ("postgresql:///homeroom?sslpassword=p", True),
    ],
)
def test_an_address_has_a_password_or_none(address: str, is_secret: bool) -> None:  # noqa: FBT001  a case
    assert has_password(address) is is_secret
