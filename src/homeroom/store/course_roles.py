"""Roles of users in one course, joined to statements about several users."""

from sqlalchemy import Join, and_, bindparam

from homeroom.store.tables import course_members, course_teachers, users


def join_course_roles(users_join: Join) -> Join:
    """Join users with their role in the course: member, one of its teachers, or neither."""
    return users_join.outerjoin(
        course_members,
        and_(
            course_members.c.course_id == bindparam("course"),
            course_members.c.user_id == users.c.id,
        ),
    ).outerjoin(
        course_teachers,
        and_(
            course_teachers.c.course_id == bindparam("course"),
            course_teachers.c.user_id == users.c.id,
        ),
    )
