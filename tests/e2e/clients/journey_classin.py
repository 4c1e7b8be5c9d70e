"""The journey through `classin` 0.1.1: facts in, steps out.

Run by the Python of that client's own environment. One JSON object on stdin, a JSON list of
`[step, errno, data]` on stdout. This client unwraps what went well and raises at every other
errno, so its answers are wrapped again here; course labels it does not know.
"""

import importlib
import json
import sys
from collections.abc import Callable
from typing import Any, TypedDict


class Facts(TypedDict):
    """Facts from the test: the server's address and time, and the participants."""

    url: str
    sid: int
    secret: str
    now: int
    phones: list[str]
    identity: str
    known: dict[str, int]


class Journey:
    """One run: the client, and what each of its calls was answered."""

    def __init__(self, facts: Facts) -> None:
        client = importlib.import_module("classin.client").ClassInClient
        self.refusal = importlib.import_module("classin.core.exceptions").ClientException
        self.api = client(facts["sid"], facts["secret"], facts["url"] + "/")
        self.facts = facts
        self.steps: list[tuple[str, int, object]] = []

    def take(self, step: str, call: Callable[..., Any], *values: object, **named: object) -> object:
        """Make a call, write down how it ended, and hand on the data of its answer."""
        errno = 1
        try:
            data = call(*values, **named)
        except self.refusal as refused:
            errno, data = refused.code, refused.response.json()
        if isinstance(data, dict) and "error_info" in data:
            data = data.get("data")
        self.steps.append((step, errno, data))
        return data

    def school(self) -> None:
        """Bring a school to life: people, a course, a label, a class, and some of them leaving."""
        api, take, facts = self.api, self.take, self.facts
        user, classroom = api.user, api.classroom
        busy, helping, free, first, second = facts["phones"]

        teacher = take("register teacher", user.register, busy, "王 老师+&", password="secret-1")
        take("add teacher", user.add_teacher, busy, "王老师")
        co_teacher = take(
            "register co-teacher",
            user.register,
            helping,
            "Li",
            md5pass="5ebe2294ecd0e0f08eab7690d2a6ee69",
            add_to_school_member=2,
        )
        spare = take(
            "register free teacher",
            user.register,
            free,
            "Zhao",
            password="secret-3",
            add_to_school_member=2,
        )
        registered = take(
            "register students",
            user.register_multiple,
            [
                {"telephone": first, "nickname": "学生 甲", "password": "secret-4"},
                {"telephone": second, "nickname": "Student 2", "password": "secret-5"},
            ],
        )
        students = [entry["data"] for entry in registered] if isinstance(registered, list) else []
        take("add student", user.add_school_student, first, "学生 甲")
        take("add second student", user.add_school_student, second, "Student 2")

        course = take("add course", classroom.add_course, "数学 A")
        take("add course student", classroom.add_course_student, course, 1, students[0])
        take(
            "add course auditors",
            classroom.add_course_student_multiple,
            course,
            [{"uid": students[1]}],
            identity=2,
        )
        take("add school label", api.school.add_school_label, f"周末 班 {facts['identity']}")

        begin = facts["now"] + 600
        for step in ("add class", "add class again"):
            take(
                step,
                classroom.add_course_class,
                course,
                "第一课 分数",
                begin,
                begin + 1800,
                teacher,
                record=True,
                assistant_uid=co_teacher,
                course_unique_identity=facts["identity"],
            )

        remove = classroom.del_course_student_multiple
        take("remove students", remove, course, [str(students[0])], identity=1)
        take("remove auditors", remove, course, [students[1]], identity=2)
        take("stop busy teacher", user.stop_using_teacher, teacher)
        take("stop free teacher", user.stop_using_teacher, spare)

    def video(self) -> None:
        """Clear up after a class that is over and has a recording."""
        known = self.facts["known"]
        self.take("delete video", self.api.broadcast.delete_class_video, known["class"])
        self.take("stop teacher after class", self.api.user.stop_using_teacher, known["teacher"])


def main() -> None:
    journey = Journey(json.load(sys.stdin))
    try:
        {"school": journey.school, "video": journey.video}[sys.argv[1]]()
    finally:
        json.dump(journey.steps, sys.stdout)


if __name__ == "__main__":
    main()
