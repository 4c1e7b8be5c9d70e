"""The tutorial server: FastAPI and an ORM session for each request, as introductions teach it.

`python -m bench.yardsticks.tutorial RECIPE` prints its address. It answers addCourseClass,
addCourseStudent and editCourseClass, each at a path of its own, on the tables of the real server.
"""

import json
import secrets
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import msgspec
import uvicorn
from fastapi import Depends, FastAPI, Form, HTTPException
from sqlalchemy import create_engine, event, select
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker

from bench.yardsticks.recipe import Recipe
from homeroom.base.keys import md5_hex
from homeroom.store import tables

DONE = {"errno": 1, "error": "程序正常执行"}
STREAM_SECONDS = 10 * 365 * 86_400


class Base(DeclarativeBase):
    """Base of the models."""


class School(Base):
    __table__ = tables.schools


class Course(Base):
    __table__ = tables.courses


class User(Base):
    __table__ = tables.users


class Teacher(Base):
    __table__ = tables.teachers


class CourseMember(Base):
    __table__ = tables.course_members


class Lesson(Base):
    __table__ = tables.lessons


class Maintenance(Base):
    __table__ = tables.maintenance


app = FastAPI()
sessions = sessionmaker()


def get_session() -> Iterator[Session]:
    with sessions() as session:
        yield session


def check_signature(
    sid: Annotated[int, Form(alias="SID")],
    safe_key: Annotated[str, Form(alias="safeKey")],
    stamp: Annotated[str, Form(alias="timeStamp")],
    session: Annotated[Session, Depends(get_session)],
) -> Any:  # noqa: ANN401  the attributes of a model come from its table
    school = session.get(School, sid)
    # The secret comes from the recipe: in the database it is encrypted.
    if school is None or md5_hex(app.state.secret + stamp) != safe_key:
        raise HTTPException(403)
    return school


@app.post("/addCourseClass")
def add_course_class(
    school: Annotated[Any, Depends(check_signature)],  # noqa: ANN401  as above
    session: Annotated[Session, Depends(get_session)],
    course_id: Annotated[int, Form(alias="courseId")],
    class_name: Annotated[str, Form(alias="className", max_length=90)],
    begin_time: Annotated[int, Form(alias="beginTime")],
    end_time: Annotated[int, Form(alias="endTime")],
    teacher_uid: Annotated[int, Form(alias="teacherUid")],
    identity: Annotated[str, Form(alias="courseUniqueIdentity")],
    seats: Annotated[int, Form(alias="seatNum")] = 6,
    is_auto_onstage: Annotated[int, Form(alias="isAutoOnstage")] = 0,
    is_hd: Annotated[int, Form(alias="isHd")] = 0,
    record: Annotated[int, Form()] = 0,
    live: Annotated[int, Form()] = 0,
    replay: Annotated[int, Form()] = 0,
    watch_by_login: Annotated[int, Form(alias="watchByLogin")] = 0,
    allow_unlogged_chat: Annotated[int, Form(alias="allowUnloggedChat")] = 0,
    introduction: Annotated[str, Form(alias="classIntroduce")] = "",
) -> dict[str, Any]:
    existing = select(Lesson).filter_by(school_id=school.id, unique_identity=identity)
    if session.scalars(existing).first() is not None:
        raise HTTPException(409)
    if not 900 <= end_time - begin_time <= 86_400:
        raise HTTPException(400)
    check_maintenance(session, begin_time, end_time)
    check_course(session, school, course_id)
    check_teacher(session, school, course_id, teacher_uid)
    key = secrets.token_hex(8)
    lesson: Any = Lesson(
        school_id=school.id,
        course_id=course_id,
        name=class_name,
        begins_at=begin_time,
        ends_at=end_time,
        teacher_id=teacher_uid,
        seats=seats,
        resolution=is_hd,
        has_two_cameras=0,
        is_smart=0,
        is_broadcast=0,
        enters_off_stage=1 - is_auto_onstage,
        record=record,
        record_scene=0,
        live=live,
        replay=replay,
        watch_by_login=watch_by_login,
        allow_unlogged_chat=allow_unlogged_chat,
        is_locked=0,
        introduction=introduction,
        unique_identity=identity,
        key=key,
        stream_signature=md5_hex(key),
        stream_expires_at=end_time + STREAM_SECONDS,
        origin="v1",
        created_at=int(time.time()),
    )
    session.add(lesson)
    session.commit()
    return {"data": lesson.id, "more_data": _addresses(lesson), "error_info": DONE}


@app.post("/addCourseStudent")
def add_course_student(
    school: Annotated[Any, Depends(check_signature)],  # noqa: ANN401  as above
    session: Annotated[Session, Depends(get_session)],
    course_id: Annotated[int, Form(alias="courseId")],
    uid: Annotated[int, Form(alias="studentUid")],
    role: Annotated[int, Form(alias="identity")],
) -> dict[str, Any]:
    check_course(session, school, course_id)
    user: Any = session.get(User, uid)
    if user is None or user.cancelled_at:
        raise HTTPException(400)
    if session.get(CourseMember, (course_id, uid)) is not None:
        raise HTTPException(409)
    now = int(time.time())
    session.add(
        CourseMember(
            course_id=course_id, user_id=uid, role=role, nickname=user.nickname, joined_at=now
        )
    )
    session.commit()
    return {"error_info": DONE}


@app.post("/editCourseClass")
def edit_course_class(
    school: Annotated[Any, Depends(check_signature)],  # noqa: ANN401  as above
    session: Annotated[Session, Depends(get_session)],
    course_id: Annotated[int, Form(alias="courseId")],
    class_id: Annotated[int, Form(alias="classId")],
    class_name: Annotated[str, Form(alias="className", max_length=90)],
) -> dict[str, Any]:
    check_course(session, school, course_id)
    lesson: Any = session.get(Lesson, class_id)
    if lesson is None or lesson.course_id != course_id:
        raise HTTPException(400)
    lesson.name = class_name
    session.commit()
    return {"more_data": _addresses(lesson), "error_info": DONE}


def check_maintenance(session: Session, begin: int, end: int) -> None:
    overlapping = select(Maintenance).where(
        tables.maintenance.c.begins_at < end + 1200, tables.maintenance.c.ends_at > begin - 1200
    )
    if session.scalars(overlapping).first():
        raise HTTPException(503)


def check_course(session: Session, school: Any, course_id: int) -> None:  # noqa: ANN401  as above
    course: Any = session.get(Course, course_id)
    if course is None or course.school_id != school.id or course.ended_at or course.deleted_at:
        raise HTTPException(400)


def check_teacher(session: Session, school: Any, course_id: int, uid: int) -> None:  # noqa: ANN401  as above
    teacher: Any = session.scalars(
        select(Teacher).filter_by(school_id=school.id, user_id=uid)
    ).first()
    user: Any = session.get(User, uid)
    member = session.get(CourseMember, (course_id, uid))
    if user is None or user.cancelled_at or member:
        raise HTTPException(400)
    if teacher is None or teacher.state != "active":
        raise HTTPException(400)


def _create_engine(recipe: Recipe) -> Any:  # noqa: ANN401  SQLAlchemy's engine
    if recipe.database.startswith("postgresql:"):
        address = recipe.database.replace("postgresql:", "postgresql+psycopg:", 1)
        options = {"prepare_threshold": None} if recipe.has_pool else {}
        return create_engine(address, connect_args=options)
    engine = create_engine(f"sqlite:///{recipe.database}")

    @event.listens_for(engine, "connect")
    def set_pragmas(connection: Any, _record: object) -> None:  # noqa: ANN401  the driver's
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    return engine


def _addresses(lesson: Any) -> dict[str, Any]:  # noqa: ANN401  as above
    stream = f"localhost/live/{lesson.key}"
    query = f"txSecret={lesson.stream_signature}&txTime={lesson.stream_expires_at:x}"
    return {
        "live_url": f"http://localhost/live.php?lessonKey={lesson.key}",
        "live_info": {
            "RTMP": f"rtmp://{stream}?{query}",
            "HLS": f"http://{stream}.m3u8?{query}",
            "FLV": f"http://{stream}.flv?{query}",
        },
    }


def main() -> None:
    recipe = msgspec.convert(json.loads(Path(sys.argv[1]).read_text()), Recipe)
    app.state.secret = recipe.secret
    sessions.configure(bind=_create_engine(recipe))
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    print(f"http://127.0.0.1:{listener.getsockname()[1]}/", flush=True)
    config = uvicorn.Config(app, access_log=False, log_level="error")
    uvicorn.Server(config).run([listener])


if __name__ == "__main__":
    main()
