"""Forms for every action: mostly in order, with a few values that are anything but."""

import json
from typing import Any, Final
from urllib.parse import urlencode

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from homeroom.base.clock import DAY, HOUR, MINUTE
from homeroom.contract.action import Action
from homeroom.contract.catalogue import ACTIONS
from homeroom.contract.params import ParamField
from tests.support.given import Given
from tests.support.orders.groupings import add_grouping
from tests.support.raw import FORM, MULTIPART, multipart

PIXEL: Final = (
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89"
    b"\0\0\0\nIDATx\x9cc\0\1\0\0\5\0\1\r\n-\xb4\0\0\0\0IEND\xaeB`\x82"
)
V1_ACTIONS: Final = [action for action in ACTIONS if not action.is_v2]
SLOTS: Final = {action.name: action.reader().fields for action in V1_ACTIONS}


class World:
    """A school with something of every kind, and the values that name it."""

    def __init__(self, given: Given) -> None:
        self.given = given
        other = given.other()
        teachers = [given.teacher() for _ in range(4)]
        students = [given.student() for _ in range(3)]
        courses = [given.course() for _ in range(3)]
        lessons = [given.lesson(courses[0], teacherUid=teachers[0])]
        held = given.held_lesson(courses[0], teacherUid=teachers[0])
        clip = given.clip(held)
        running = given.lesson(courses[0], teacherUid=teachers[1])
        given.until(given.seen(running).hours.begin + MINUTE)
        lessons += [given.lesson(courses[1], teacherUid=teachers[2]), running, held]
        given.done("addCourseStudent", courseId=courses[0], identity=1, studentUid=students[0])
        given.stopped(teachers[3])
        persons = [*teachers, *students, given.cancelled(given.student()), other.teacher(), 0]
        now = given.now
        self.begins: list[Any] = [now + DAY] * 6 + [now + 2 * DAY, now + MINUTE, now - DAY, 0]
        self.ends: list[Any] = [now + DAY + HOUR] * 6 + [now + 2 * DAY, now + 9 * DAY, now, 0]
        self.courses: list[Any] = [
            *courses[:2] * 4,
            courses[2],
            given.public_course(),
            given.ended_course(),
            given.deleted_course(),
            other.course(),
        ]
        self.lessons: list[Any] = [*lessons, other.lesson()]
        self.labels: list[Any] = [given.label(), given.label(), other.label()]
        self.folders: list[Any] = [given.locked_folder(), given.folder("Open"), other.folder(), 0]
        self.teachers: list[Any] = [*teachers[:3] * 4, *persons]
        self.persons: list[Any] = [*students * 3, *persons]
        self.groupings: list[Any] = [add_grouping(given, courses[0], students[0]), 0]
        # What `fileId` means: a clip, or a file of the drive.
        self.files: list[Any] = [
            clip.file.file_id,
            "none",
            *(given.file(name=f"{number}.txt") for number in range(4)),
            other.file(),
        ]
        self.accounts: list[Any] = [
            *(given.telephone() for _ in range(2)),
            "13000000001",
            "0065-81234567",
            f"somebody{now}@example.org",
            "1234",
        ]

    def learn(self, action: str, data: object) -> None:
        """Remember what an action has just made."""
        pool = {
            "addCourse": self.courses,
            "addCourseClass": self.lessons,
            "register": self.persons,
            "createFolder": self.folders,
            "addCourseGroup": self.groupings,
            "uploadFile": self.files,
        }.get(action)
        if pool is not None and data is not None and len(pool) < 20:
            pool.append(data)

    def values(self, name: str) -> list[Any] | None:
        """Return what a field of that name may well hold; none: any short text."""
        if name in FIXED:
            return FIXED[name]
        pools = {
            ("courseId", "CourseId"): self.courses,
            ("classId", "classid"): self.lessons,
            ("labelId",): self.labels,
            ("folderId",): self.folders,
            ("fileId",): self.files,
            ("groupId",): self.groupings,
            ("beginTime",): self.begins,
            ("endTime", "expiryTime"): self.ends,
            ("teacherUid", "mainTeacherUid", "assistantUid"): self.teachers,
            ("studentUid", "uid", "UID"): self.persons,
            (
                "teacherAccount",
                "mainTeacherAccount",
                "studentAccount",
                "account",
                "telephone",
                "email",
            ): self.accounts,
        }
        return next((pool for names, pool in pools.items() if name in names), None)


FLAGS: Final[list[Any]] = ["0", "1", "", "2", 1, 0]
FIXED: Final[dict[str, list[Any]]] = {
    **dict.fromkeys(
        (
            *("record", "recordScene", "live", "replay", "isAutoOnstage", "omoStationBroadcast"),
            *("watchByLogin", "allowUnloggedChat", "isLock", "lockStatus", "isSentMessage"),
            *("allowAddFriend", "allowStudentModifyNickname", "notAllowDeleteCourseStudentReplay"),
        ),
        FLAGS,
    ),
    "identity": [1, 2],
    "addToSchoolMember": [0, 1, 2],
    "seatNum": [0, 1, 6, 7, 12, 13, "many"],
    "isHd": [0, 1, 2],
    "isDc": [0, 3],
    "teachMode": [1, 2],
    "stamp": [1, 2],
    "starNum": [0, 5, "9", -1],
    "deviceType": [1, 2, 3, 4],
    "subjectId": [0, 1, 16, 17, 99],
    "catId": [0, 1],
    "classroomSettingId": [0, 1],
    "courseUniqueIdentity": ["same", *map(str, range(60))],
    "password": ["secret12", "short"],
    "md5pass": ["0" * 32],
}
LISTS: Final[dict[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "studentJson": (("uid",), ("account", "name", "customColumn")),
    "userJson": (
        ("telephone", "md5pass"),
        ("email", "password", "nickname", "addToSchoolMember", "customColumn"),
    ),
    "commentJson": (
        ("studentUid", "starNum", "comment"),
        ("studentAccount", "startNum", "customColumn"),
    ),
    "CourseList": (("courseId",), ("CourseId", "labelIds", "customColumn")),
    "classJson": (
        ("classId", "record"),
        ("classid", "live", "replay", "recordScene", "watchByLogin", "customColumn"),
    ),
}
"""Lists of objects, the members these mostly have, and those they may have."""
PLAIN_LISTS: Final = {
    "assistantUids": "assistantUid",
    "studentUidJson": "uid",
    "labelIds": "labelId",
    "lessonIds": "classId",
}
USUAL: Final = {"teacherUid", "studentUid", "uid", "telephone", "md5pass"}
"""Optional fields of which a call needs one or the other."""
TEXTS: Final = st.text(max_size=60) | st.sampled_from(["Class", "数学", "🎓", "a" * 33, "İ" * 100])
JSON_VALUES: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
JUNK: Final[SearchStrategy[str]] = st.one_of(
    st.text(max_size=200),
    st.integers().map(str),
    JSON_VALUES.map(json.dumps),
    st.sampled_from(
        [
            *("", " ", "-1", "+1", "1.0", "1e9", "٣", "0x10", "9" * 18, "9" * 19, "9" * 400),
            *("[]", "{}", "[[]]", "null", "[null]", "['1', 2]", "[1,]", "[" * 90 + "]" * 90),
            *('"\\ud800"', '["\\ud800"]', '["\\u0000"]', '[{"uid":"\\u0000"}]', '[{" uid ":1}]'),
            *("\u202e", "\ufeff1", "x" * 20_000, "' OR 1=1 --", "%s", "\\", "[1e999]", "[NaN]"),
            "[" + ",".join(["1"] * 1001) + "]",
            '[{"courseId":1,"CourseId":2,"labelIds":[1,1]}]',
        ]
    ),
)


@st.composite
def requests(draw: DrawFn, world: World) -> tuple[Action[Any, Any], dict[str, Any]]:
    """Draw an action and a signed request of it, as `Partner.post` takes them."""
    action = draw(st.sampled_from(V1_ACTIONS))
    pairs = list(world.given.api.signed().items())
    files = 0
    # Every second request is in order as far as its form goes, so that rules are met as well.
    odd = draw(st.sampled_from([0, 8]))
    for slot in SLOTS[action.name]:
        name = draw(st.sampled_from(slot.names))
        fate = draw(st.integers(0, 99))
        if name == "Filedata":
            files += fate < 30
        elif fate < odd:
            pairs.append((name, draw(JUNK)))
            if fate == 0:
                pairs.append((name, draw(JUNK)))
        elif fate < (95 if _is_usual(slot) else 35) or (slot.required and not odd):
            pairs.append((name, _text(draw(_value(world, name)))))
    if odd and draw(st.integers(0, 9)) == 0:
        pairs.append((draw(st.text(max_size=10)), draw(JUNK)))
    if not files and draw(st.booleans()):
        return action, {"content": urlencode(pairs).encode(), "headers": {"content-type": FORM}}
    file = draw(st.sampled_from([PIXEL, PIXEL[:40], b"", b"no picture"])) if files else None
    safe = [(_token(name), value) for name, value in pairs]
    body = multipart(safe, file=file)
    return action, {"content": body, "headers": {"content-type": MULTIPART}}


def _is_usual(slot: ParamField) -> bool:
    return slot.required or slot.names[0] in USUAL


def _value(world: World, name: str) -> SearchStrategy[Any]:
    if name == "groupList":
        teams = st.lists(_team(world), min_size=1, max_size=3)
        return teams | st.lists(st.lists(_member(world, [0, 1]), max_size=3), max_size=3)
    if name == "classJson":
        return _list_value(world, name) | _list_value(world, "lessonIds")
    return _list_value(world, name)


def _team(world: World) -> SearchStrategy[Any]:
    """Return a team with one leader."""
    parts = st.tuples(_member(world, [1]), st.lists(_member(world, [0]), max_size=2))
    return parts.map(lambda team: [team[0], *team[1]])


def _member(world: World, flags: list[int]) -> SearchStrategy[Any]:
    return st.fixed_dictionaries(
        {"studentUid": _value(world, "studentUid"), "isLeader": st.sampled_from(flags)}
    )


def _list_value(world: World, name: str) -> SearchStrategy[Any]:
    if name in LISTS:
        mostly, maybe = ({one: _value(world, one) for one in members} for members in LISTS[name])
        entry = st.fixed_dictionaries(mostly, optional=maybe)
        plain = st.fixed_dictionaries(mostly)
        odd = st.fixed_dictionaries({}, optional={**mostly, **maybe}) | _value(world, "account")
        return st.lists(st.one_of(plain, plain, plain, entry, odd), min_size=1, max_size=12)
    if name in PLAIN_LISTS:
        return st.lists(_value(world, PLAIN_LISTS[name]), max_size=4)
    values = world.values(name)
    if values is None:
        return TEXTS
    # A place instead of the value itself: pools grow, and Hypothesis wants the same choices.
    return st.integers(0, 63).map(lambda place: values[place % len(values)])


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _token(name: str) -> str:
    """Spell a name so that it can stand in the header of a part."""
    return "".join(letter for letter in name if letter.isalnum())
