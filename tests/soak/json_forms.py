"""Bodies for every action of the v2 wire: mostly in order, with values that are anything but."""

from random import Random
from typing import Any, Final

from sqlalchemy import select

from homeroom.base.clock import DAY, HOUR
from homeroom.contract.action import Action
from homeroom.contract.catalogue import ACTIONS
from homeroom.store.tables import activities
from tests.soak.forms import World

V2_ACTIONS: Final = [action for action in ACTIONS if action.is_v2]
SLOTS: Final = {action.name: action.reader().fields for action in V2_ACTIONS}
SUB_CLASS: Final = (
    *("courseId", "className", "assistantUids", "seatNum", "isHd", "isDc", "cameraHide"),
    *("useCoMainRecord", "recordState", "recordType", "liveState", "openState", "uniqueIdentity"),
)
SWITCH: Final[list[Any]] = [0, 1, "1", True, 2]
CHOICES: Final[dict[str, list[Any]]] = {
    **dict.fromkeys(
        (
            *("recordState", "liveState", "openState", "cameraHide", "isAutoOnstage"),
            *("isAllowCheck", "omoStationBroadcast", "useCoMainRecord"),
            *("allowViewReplay", "allowNewStudentViewReplay"),
        ),
        SWITCH,
    ),
    "recordType": [0, 1, 2, 3],
    "publishFlag": [0, 2, 1],
    "activityType": [*range(2, 9), 1, 9],
    "seatNum": [1, 2, 7, 13, "7", -1],
    "isHd": [0, 1, 2, 3],
    "isDc": [0, 3, 1],
    "content": ["", "About", "代" * 5000],
    "uniqueIdentity": ["same", *map(str, range(30)), "x" * 33],
}
NAMES: Final = [*("Class", "数学", "🎓") * 3, "a" * 51]
JUNK: Final[list[Any]] = [
    *(None, "", [], {}, True, -1, 0, 12.0, 12.5, 10**19, -(10**30), 1e308, "12", " 12 ", "0x1"),
    *("\0", "\ud7ff", "数学", "x" * 1023, "x" * 1025, "x" * 20_000, [[]], [None], [{}], {"a": {}}),
    *([1] * 1001, [[[[[[[[[[1]]]]]]]]]]),
]


class JSONWorld:
    """The things of a world, as bodies of the v2 wire name them."""

    def __init__(self, world: World, random: Random) -> None:
        self.world = world
        self._random = random
        given, course = world.given, world.courses[0]
        units = [
            given.done("lms.unit.create", courseId=course, name=name, publishFlag=2).data["unitId"]
            for name in ("First", "Second")
        ]
        paper = {"courseId": course, "activityType": 5, "teacherUid": world.teachers[0]}
        for unit in units:
            given.done(
                "lms.activity.createActivityNoClass", **paper, unitId=unit, name=f"Paper {unit}"
            )
        rows = given.rows(select(activities.c.id).where(activities.c.school_id == given.school.id))
        self._pools: dict[str, list[Any]] = {
            "courseId": (courses := [*[course] * 12, *world.courses]),
            "mainCourseId": courses,
            "classId": world.lessons,
            "unitId": (unit_ids := [*units * 4, 0, 10**9]),
            "toUnitId": unit_ids,
            "activityId": [*(row[0] for row in rows), 10**9],
            "teacherUid": world.teachers,
            "studentUid": world.persons,
        }
        now = given.now
        self._pools["startTime"] = [*[now + 2 * DAY] * 6, now - DAY, now + 900 * DAY]
        self._pools["endTime"] = [*[now + 2 * DAY + HOUR] * 6, now, now + 9 * DAY]
        # A main class that is far enough ahead to get sub classes.
        begin = now + 3 * DAY
        self._pools["mainClassId"] = [
            *[given.lesson(course, beginTime=begin, endTime=begin + HOUR)] * 4,
            *world.lessons,
        ]

    def draw(self) -> tuple[Action[Any, Any], dict[str, Any]]:
        """Draw an action and a body of it."""
        action = self._random.choice(V2_ACTIONS)
        # Every second body is in order as far as its form goes, so that rules are met as well.
        odds = self._random.choice((0.0, 0.08))
        share = self._random.choice((0.0, 0.1, 0.5))
        body: dict[str, Any] = {}
        for slot in SLOTS[action.name]:
            name = self._random.choice(slot.names)
            if self._random.random() < odds:
                body[name] = self._random.choice(JUNK)
            elif slot.required or self._random.random() < share:
                body[name] = self._value(name)
        if self._random.random() < odds:
            body[self._random.choice(("nothing", "courseid", "", "sid", "键"))] = 1
        return action, body

    def learn(self, data: object) -> None:
        """Remember what an action has just made."""
        if not isinstance(data, dict):
            return
        for name in ("unitId", "activityId", "classId"):
            pool = self._pools[name]
            if name in data and len(pool) < 40:
                pool.append(data[name])

    def _value(self, name: str) -> Any:  # noqa: ANN401  any JSON
        many = {
            "activityIds": "activityId",
            "studentUids": "studentUid",
            "teacherUids": "teacherUid",
            "assistantUids": "teacherUid",
        }
        if name in many:
            count = self._random.choice((0, 1, 1, 1, 2, 5))
            return [self._value(many[name]) for _ in range(count)]
        if name == "subClassJson":
            return [
                {part: self._value(part) for part in SUB_CLASS if self._is_sent(part)}
                for _ in range(self._random.choice((1, 1, 2, 3, 21)))
            ]
        pool = self._pools.get(name) or CHOICES.get(name) or NAMES
        return self._random.choice(pool)

    def _is_sent(self, part: str) -> bool:
        is_usual = part in {"courseId", "className"}
        return self._random.random() < (0.95 if is_usual else 0.2)
