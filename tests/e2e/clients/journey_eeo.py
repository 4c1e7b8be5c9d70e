"""The journey through `eeo` 2.0.0, `eeo` 1.0.9 or `eeo-py-sdk` 0.2.0: facts in, steps out.

Run by the Python of that client's own environment. One JSON object on stdin, a JSON list of
`[step, errno, data]` on stdout. The three packages share their names; what one lacks is left out.
"""

import importlib
import json
import sys
from typing import Any, TypedDict

Answer = dict[str, Any]


class Facts(TypedDict):
    """Facts from the test: the server's address and time, and the participants."""

    url: str
    sid: int
    secret: str
    now: int
    phones: list[str]
    email: str
    identity: str
    picture: str | None
    known: dict[str, int]


class Journey:
    """One run: the client, and what each of its calls was answered."""

    def __init__(self, facts: Facts) -> None:
        client = importlib.import_module("eeo").ClassInAPI
        self.api = client(facts["sid"], facts["secret"], domain=facts["url"])
        self.facts = facts
        self.steps: list[tuple[str, int, object]] = []

    def note(self, step: str, answer: Answer) -> Answer:
        """Write down what a step was answered and hand the answer on."""
        self.steps.append((step, answer["error_info"]["errno"], answer.get("data")))
        return answer

    def school(self) -> None:
        """Bring a school to life: people, a course, labels, a class, and some of them leaving."""
        api, note, facts = self.api, self.note, self.facts
        busy, helping, free, student = facts["phones"][:4]
        picture = {"file_path": facts["picture"]} if facts["picture"] else {}

        teacher = note(
            "register teacher", api.register(busy, "secret-1", nickname="王 老师+&", **picture)
        ).get("data")
        note("add teacher", api.add_teacher(busy, "王老师", **picture))
        co_teacher = note(
            "register co-teacher",
            api.register(helping, "secret-2", nickname="Li", addToSchoolMember=2),
        ).get("data")
        spare = note(
            "register free teacher",
            api.register(free, "secret-3", nickname="Zhao", addToSchoolMember=2),
        ).get("data")

        registered = note(
            "register students",
            api.register_multiple(
                [
                    {"telephone": student, "nickname": "学生 甲", "password": "secret-4"},
                    {"email": facts["email"], "nickname": "Student 2", "password": "secret-5"},
                ]
            ),
        ).get("data", [])
        students = [entry["data"] for entry in registered]
        note("add student", api.add_school_student(student, "学生 甲"))
        note("add second student", api.add_school_student(facts["email"], "Student 2"))

        course = note("add course", api.add_course("数学 A", allowAddFriend=1)).get("data")
        note("add course student", api.add_course_student(course, students[0], 1))
        note(
            "add course auditors",
            api.add_course_student_multiple(course, [{"uid": students[1]}], 2),
        )

        if hasattr(api, "add_school_label"):
            label = note("add school label", api.add_school_label(f"周末 班 {facts['identity']}"))[
                "data"
            ]["labelId"]
            note(
                "label course",
                api.add_course_labels(
                    [{"courseId": course, "labelIds": [int(label)], "customColumn": "一"}]
                ),
            )

        begin = facts["now"] + 600
        for step in ("add class", "add class again"):
            note(
                step,
                api.add_course_class(
                    course,
                    "第一课 分数",
                    teacher,
                    begin,
                    begin + 1800,
                    assistantUids=[co_teacher],
                    seatNum=6,
                    record=1,
                    live=0,
                    replay=0,
                    courseUniqueIdentity=facts["identity"],
                ),
            )

        note("remove students", api.del_course_student_multiple(course, [str(students[0])], 1))
        note("remove auditors", api.del_course_student_multiple(course, [students[1]], 2))
        note("stop busy teacher", api.stop_using_teacher(teacher))
        note("stop free teacher", api.stop_using_teacher(spare))

    def video(self) -> None:
        """Clear up after a class that is over and has a recording."""
        known = self.facts["known"]
        self.note("delete video", self.api.delete_class_video(known["class"]))
        self.note("stop teacher after class", self.api.stop_using_teacher(known["teacher"]))


def main() -> None:
    journey = Journey(json.load(sys.stdin))
    try:
        {"school": journey.school, "video": journey.video}[sys.argv[1]]()
    finally:
        json.dump(journey.steps, sys.stdout)


if __name__ == "__main__":
    main()
