"""Ids: whole numbers, each with a type of its own so that the type checker tells them apart."""

from typing import NewType

SchoolId = NewType("SchoolId", int)
UserId = NewType("UserId", int)
CourseId = NewType("CourseId", int)
LessonId = NewType("LessonId", int)
LabelId = NewType("LabelId", int)
FolderId = NewType("FolderId", int)
ClipId = NewType("ClipId", int)
PresetId = NewType("PresetId", int)
WindowId = NewType("WindowId", int)
JobId = NewType("JobId", int)
TokenId = NewType("TokenId", int)
ViewerId = NewType("ViewerId", int)
EntryId = NewType("EntryId", int)
SessionId = NewType("SessionId", int)
FileId = NewType("FileId", int)
CommentId = NewType("CommentId", int)
GroupingId = NewType("GroupingId", int)
UnitId = NewType("UnitId", int)
ActivityId = NewType("ActivityId", int)
