"""Roles of users in one course, joined to statements about several users."""

from sqlalchemy import ColumnElement, Join, and_, bindparam

from homeroom.store.tables import course_members, course_teachers, users


def join_course_roles(users_join: Join, course: ColumnElement[int] | None = None) -> Join:
    """Join users with their role in a course: member, one of its teachers, or neither.

    By default it is the course of the parameter.
    """
    course_id = bindparam("course") if course is None else course
    return users_join.outerjoin(
        course_members,
        and_(
            course_members.c.course_id == course_id,
            course_members.c.user_id == users.c.id,
        ),
    ).outerjoin(
        course_teachers,
        and_(
            course_teachers.c.course_id == course_id,
            course_teachers.c.user_id == users.c.id,
        ),
    )
