"""Builders: a school and what it has; every field that a test does not name has a default."""

from collections.abc import Callable
from itertools import count
from types import TracebackType
from typing import Any, Final, Self

from homeroom.base.clock import DAY, HOUR, Clock
from homeroom.base.ids import CourseId, FileId, FolderId, LessonId, UserId
from homeroom.testing.inbox import Inbox
from homeroom.testing.partner import PartnerClient, PartnerReply, Value
from homeroom.testing.receiver import Receiver
from homeroom.testing.sandbox import SandboxClient

FIRST_TELEPHONE: Final = 13_000_000_000
_NUMBERS: Final = count(1)


class SchoolBuilder:
    """Fills one school of a running server by signed calls."""

    def __init__(self, api: PartnerClient, issue_token: Callable[[], str] | None = None) -> None:
        """Take the client of the school, and what issues a token for its endpoints."""
        self.api = api
        self._issue_token = issue_token
        self._inbox: Inbox | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def inbox(self) -> Inbox:
        """The messages of the school."""
        if self._inbox is None:
            self._inbox = Inbox(self.api.url, self.api.sid)
        return self._inbox

    def list_calls(self, limit: int) -> list[dict[str, Any]]:
        """Return the last calls of the school from the journal of the sandbox, the oldest first."""
        with SandboxClient(self.api.url) as sandbox:
            return sandbox.journal(sid=self.api.sid, limit=limit)[::-1]

    def receiver(self) -> Receiver:
        """Return a receiver of the school's messages, for a `with` block."""
        if self._issue_token is None:
            raise RuntimeError("only schools of a ThreadedServer have receivers")
        return Receiver(self.api.url, self.api.sid, self.api.secret, self._issue_token())

    @property
    def clock(self) -> Clock:
        """The clock that signs the calls."""
        return self.api.clock

    def done(self, action: str, **fields: Value) -> PartnerReply:
        """Send a call whose errno must be 1; raise AssertionError on any other."""
        return _check_done(action, fields, self.api.call(action, **fields))

    def telephone(self) -> str:
        """Return a telephone number that is not registered."""
        return str(FIRST_TELEPHONE + next(_NUMBERS))

    def user(self, **fields: Value) -> UserId:
        """Register a user."""
        form = {"telephone": self.telephone(), "md5pass": "0" * 32, **fields}
        return UserId(self.done("register", **form).data)

    def teacher(self) -> UserId:
        """Register a teacher of the school."""
        return self.user(addToSchoolMember=2)

    def student(self) -> UserId:
        """Register a student of the school."""
        return self.user(addToSchoolMember=1)

    def course(self, **fields: Value) -> CourseId:
        """Add a course."""
        return CourseId(self.done("addCourse", **{"courseName": "Course", **fields}).data)

    def member(self, course: CourseId, identity: int = 1) -> UserId:
        """Register a student and add them to a course: identity 1 is a student, 2 an auditor."""
        student = self.student()
        self.done("addCourseStudent", courseId=course, identity=identity, studentUid=student)
        return student

    def lesson(self, course: CourseId | None = None, **fields: Value) -> LessonId:
        """Add a class: it begins in a day and lasts an hour."""
        return LessonId(self.done("addCourseClass", **self.lesson_form(course, **fields)).data)

    def lesson_form(self, course: CourseId | None = None, **fields: Value) -> dict[str, Value]:
        """Return the parameters of a class that can be added; add what it needs first."""
        begin = self.clock.now() + DAY
        form: dict[str, Value] = {
            "courseId": course if course is not None else self.course(),
            "className": "Class",
            "beginTime": begin,
            "endTime": begin + HOUR,
        }
        if "teacherUid" not in fields and "teacherAccount" not in fields:
            form["teacherUid"] = self.teacher()
        return {**form, **fields}

    def label(self, name: str | None = None) -> str:
        """Add a label and return its id."""
        name = name or f"label {next(_NUMBERS)}"
        return str(self.done("addSchoolLabel", labelName=name).data["labelId"])

    def folder(self, name: str = "Folder") -> FolderId:
        """Add a folder to the school's drive."""
        top = self.done("getTopFolderId").data
        return FolderId(int(self.done("createFolder", folderId=top, folderName=name).data))

    def file(
        self, folder: FolderId | None = None, content: bytes = b"content", name: str = "file.txt"
    ) -> FileId:
        """Add a file to a folder, by default to the top folder of the school's drive."""
        folder = folder or FolderId(int(self.done("getTopFolderId").data))
        fields: dict[str, Value] = {"folderId": folder}
        reply = self.api.upload("uploadFile", content, name, **fields)
        return FileId(int(_check_done("uploadFile", fields, reply).data))

    def close(self) -> None:
        """Close the connections."""
        self.api.close()
        if self._inbox is not None:
            self._inbox.close()


def _check_done(action: str, fields: dict[str, Value], reply: PartnerReply) -> PartnerReply:
    if reply.errno != 1:
        raise AssertionError(action, fields, reply.body, reply.reason)
    return reply
