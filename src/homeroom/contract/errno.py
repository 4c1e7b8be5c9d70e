"""Every answer number of the partner API that this server can give, in one table.

A row holds the number, what it says of the work, the text that travels (READINGS Q33) and a plain
English sentence. A number is written here and nowhere else.
"""

from enum import Enum, StrEnum, unique

from homeroom.base.values import Value


class Outcome(StrEnum):
    """The effect of a request on the data, as its errno reports it."""

    DONE = "done"
    WARNING = "warning"
    """The work was kept, and there is something to add."""
    REFUSED = "refused"
    """Nothing was changed."""
    FAULT = "fault"
    """Nothing was changed, and the caller is not to blame."""


class ErrnoInfo(Value, frozen=True):
    """One answer number: its value, its outcome, the label on the wire and what it means."""

    number: int
    outcome: Outcome
    zh: str
    en: str


def _refusal(number: int, zh: str, en: str) -> ErrnoInfo:
    return ErrnoInfo(number, Outcome.REFUSED, zh, en)


def _warning(number: int, zh: str, en: str) -> ErrnoInfo:
    return ErrnoInfo(number, Outcome.WARNING, zh, en)


def _fault(number: int, zh: str, en: str) -> ErrnoInfo:
    return ErrnoInfo(number, Outcome.FAULT, zh, en)


@unique
class Errno(Enum):
    """The answer numbers, by name."""

    DONE = ErrnoInfo(1, Outcome.DONE, "程序正常执行", "success")
    BAD_PARAMS = _refusal(
        100, "参数不全或错误", "a parameter is missing or malformed (also wrong HTTP method)"
    )
    NOT_AUTHORISED = _refusal(
        102,
        "无权限（安全验证没通过）",
        "not authorised: SID, safeKey or timeStamp check failed, school suspended, or old action",
    )
    PICTURE_NOT_STORED = _refusal(103, "图片放入服务器失败", "storing the uploaded picture failed")
    FAILED = _fault(104, "操作失败（未知错误）", "operation failed for an unknown reason; retry")
    NO_DATA = _refusal(106, "无数据", "no data")
    ACCOUNT_NOT_REGISTERED = _refusal(113, "手机账号未注册", "account is not registered")
    SERVER_FAULT = _fault(114, "服务器异常", "server fault; retry")
    ENDS_BEFORE_IT_BEGINS = _refusal(119, "结束时间须晚于开课时间", "end is not after start")
    BEGINS_TOO_SOON = _refusal(120, "开课时间至少一分钟以后", "start is less than one minute away")
    TEACHER_NOT_IN_SCHOOL = _refusal(
        121, "机构下面没有该老师，请在机构下添加该老师", "not a teacher of the school"
    )
    TEACHER_ACCOUNT_MALFORMED = _refusal(122, "老师账号格式不正确", "teacher account is malformed")
    TIMES_FROZEN = _refusal(
        124, "开课前一分钟内不能更改上课时间", "time cannot change in the last minute before start"
    )
    STUDENT_PHONE_MALFORMED = _refusal(125, "学生手机号不合法", "student phone number is malformed")
    SCHOOL_ACCOUNT_AS_STUDENT = _refusal(
        128, "机构账号不能添加为学生", "the school account cannot be a student"
    )
    TEACHER_AS_STUDENT = _refusal(129, "老师不能添加为学生", "a teacher cannot be added as student")
    TOO_MANY_MEMBERS = _refusal(130, "学生超出可添加数量", "member limit exceeded")
    REGISTRATION_FAILED = _refusal(131, "注册失败", "registration failed")
    ALREADY_EXISTS = _refusal(133, "已经存在", "already exists")
    PHONE_MALFORMED = _refusal(134, "手机号不合法", "phone number is malformed")
    PHONE_ALREADY_REGISTERED = _warning(
        135, "手机号已注册", "phone already registered (UID is returned)"
    )
    NOT_A_TEACHER_OF_SCHOOL = _refusal(
        136,
        "机构下面没有该老师，请在机构下添加该老师",
        "not a teacher of the school; add the teacher first",
    )
    PASSWORD_LENGTH = _refusal(137, "密码长度不合法(6-20位)", "password length outside 6-20")
    LESSON_IS_RUNNING = _refusal(
        140, "该课节正在上课，不能编辑和删除", "class is running; no edit or delete"
    )
    LESSON_NOT_IN_COURSE = _refusal(142, "该课程下无此课节信息", "class is not in that course")
    NO_SUCH_LESSON = _refusal(143, "没有此课节信息", "class does not exist")
    COURSE_NOT_IN_SCHOOL = _refusal(144, "机构下无此课程", "course is not in the school")
    LESSON_IS_OVER = _refusal(145, "该课节已经结束", "class has ended")
    COURSE_ENDED = _refusal(146, "课程已结束", "course has been ended")
    NO_SUCH_COURSE = _refusal(147, "没有此课程信息", "course does not exist")
    COURSE_DELETED = _refusal(149, "课程已删除", "course was deleted")
    NOT_OF_LESSON = _refusal(
        150,
        "此用户不属于该机构下学生、老师和旁听，或者不属于该课节成员",
        "the user is neither a member of the class nor an account of the school itself",
    )
    EXPIRY_TOO_SOON = _refusal(
        151, "过期时间至少要一天以后", "expiry must be at least one day ahead"
    )
    EXPIRY_BEFORE_LAST_LESSON = _refusal(
        152, "过期时间不能小于最后一节课的结束时间", "expiry lies before the end of the last class"
    )
    COURSE_EXPIRED = _refusal(153, "课程已过期", "course has expired")
    EXPIRY_TOO_FAR = _refusal(
        154, "过期时间只能是5年以内的时间", "expiry may be at most five years ahead"
    )
    LIST_EMPTY = _refusal(155, "数据数组不可为空", "list is empty (also: not a decodable list)")
    TOO_MANY_CLASS_STUDENTS = _refusal(157, "已超出课节下学生数量", "class student limit exceeded")
    STUDENT_NOT_ADDED_TO_LESSON = _refusal(
        158, "课节下添加学生失败", "adding the student to the class failed"
    )
    ONLY_STUDENTS_IN_LESSONS = _refusal(
        159, "课节下目前只支持对学生的操作", "only students can be handled at class level"
    )
    FOLDER_NOT_IN_DRIVE = _refusal(160, "机构下无此云盘目录", "folder is not in the school drive")
    LESSON_NOT_ADDED = _refusal(161, "单课创建失败", "creating the class failed")
    NOT_A_MEMBER = _refusal(162, "课程下无此成员", "not a member of the course")
    ALREADY_A_STUDENT = _refusal(163, "课程下已存在此学生", "already a student of the course")
    ALREADY_AN_AUDITOR = _refusal(164, "课程下已存在此旁听", "already an auditor of the course")
    LESSON_LENGTH = _refusal(
        165, "单节课不能少于15分钟且不能超过24小时", "class length outside 15 minutes to 24 hours"
    )
    ALREADY_IN_LESSON = _refusal(166, "课节下已存在此学生", "already a student of the class")
    NOT_IN_LESSON = _refusal(167, "课节下不存在此学生", "not a student of the class")
    STUDENT_NOT_REMOVED_FROM_LESSON = _refusal(
        171, "课节下删除学生失败", "removing the student from the class failed"
    )
    TEACHER_IS_COURSE_STUDENT = _refusal(
        172, "课程下的学生不能添加为老师", "a course student cannot be the teacher"
    )
    TEACHER_IS_COURSE_AUDITOR = _refusal(
        173, "课程下的旁听不能添加为老师", "a course auditor cannot be the teacher"
    )
    TEACHER_AS_AUDITOR = _refusal(174, "老师不能添加为旁听", "a teacher cannot be added as auditor")
    TEACHER_IS_LESSON_STUDENT = _refusal(
        187, "课节下的学生不能添加为老师", "a student of the class cannot be its teacher"
    )
    NO_LESSON_TO_COME = _refusal(188, "没有未开课的课节", "no class that has not started")
    TEACHER_NOT_CHANGED = _refusal(189, "课节老师更换失败", "changing the class teacher failed")
    COURSE_UNFINISHED = _refusal(190, "该课程未创建完成", "creation of the course is unfinished")
    NO_SUCH_FOLDER = _refusal(193, "文件夹不存在", "folder does not exist")
    FOLDER_OF_ANOTHER_SCHOOL = _refusal(
        194, "文件夹不属于该机构（无权操作）", "folder belongs to someone else"
    )
    NO_FILE_SENT = _refusal(195, "请选择要上传的文件", "no file in the upload")
    FOLDER_NOT_WRITABLE = _refusal(196, "文件夹无操作权限", "no write permission on the folder")
    UPLOAD_FAILED = _refusal(197, "上传文件失败", "upload failed")
    NO_SUCH_FILE = _refusal(198, "文件不存在", "file does not exist")
    FILE_OF_ANOTHER_SCHOOL = _refusal(
        199, "文件不属于该机构（无权操作）", "file belongs to someone else"
    )
    FILE_NAME_TAKEN = _refusal(200, "已存在同名文件", "file name already taken")
    FOLDER_NAME_TAKEN = _refusal(
        206, "已存在同名文件夹", "folder name already taken (id is returned)"
    )
    FOLDER_TOO_DEEP = _refusal(207, "文件夹层级超出限制", "folder nesting too deep")
    TOO_MANY_FOLDERS = _refusal(208, "文件夹数量超出限制", "too many folders")
    FILE_TOO_LARGE = _refusal(211, "文件大小超出限制", "file too large")
    LESSON_DELETED = _refusal(212, "该课节已经删除", "class was deleted")
    NO_SUCH_TEACHER = _refusal(219, "老师信息不存在", "teacher record not found")
    CLIENT_LESSON_NOT_ADDED = _refusal(
        220, "客户端添加课节失败", "adding the class in the client failed"
    )
    RECORDING_NOT_CHANGED_BY_CLIENT = _refusal(
        221, "客户端修改单课视频点播信息失败", "client-side change of recording data failed"
    )
    LESSON_NOT_CHANGED_BY_CLIENT = _refusal(
        222, "客户端修改单课信息失败", "client-side change of the class failed"
    )
    PICTURE_TYPE = _refusal(224, "上传图片类型错误", "picture type not allowed")
    REPLAY_OF_UNRECORDED = _refusal(
        226,
        "未录课的课节不能修改直播回放状态",
        "live or replay cannot change on a class without recording",
    )
    PASSWORD_NOT_YOURS = _refusal(
        227,
        "没有修改此用户登录密码的权限",
        "not allowed to change this user's password: no student or teacher of the school",
    )
    NOT_A_STUDENT_OF_SCHOOL = _refusal(228, "机构下无此学生", "not a student of the school")
    LESSON_NOT_IN_SCHOOL = _refusal(233, "机构下无此课节", "class is not in the school")
    LIVE_NEEDS_RECORDING = _refusal(
        251, "只有开启了录课，才能开启直播或回放", "live and replay need recording"
    )
    RECORDING_FROZEN = _refusal(
        252,
        "录课/直播状态，只有开课前 20 分钟才可更改",
        "recording and live can be changed only until 20 minutes before start",
    )
    VIDEO_SERVICE_FAULT = _refusal(
        253, "视频服务有问题，请稍后重试", "video service fault, try later"
    )
    NOT_RECORDED = _refusal(
        254, "该课节没有开启录课，没有视频信息", "recording was off, so there is no video"
    )
    TOO_MANY_SEATS = _refusal(259, "上台人数设置超出最大限制", "stage size above the limit")
    HEAD_TEACHER_NOT_ADDED = _refusal(260, "添加班主任失败", "adding the head teacher failed")
    ADDED_WITHOUT_LIVE = _warning(
        267, "课节创建成功,直播信息设置失败", "class created, live settings failed"
    )
    BEGINS_TOO_LATE = _refusal(
        268, "课节开始时间超出允许范围", "start is outside the allowed range"
    )
    KIND_NOT_SUPPORTED_FOR_VIDEO = _refusal(
        269,
        "该课程/课节类型暂不支持该操作",
        "operation not supported for this course or class type",
    )
    ADDED_WITH_BAD_RECORDING = _warning(
        280,
        "课节创建成功，录课参数设置错误，录课开启失败",
        "class created, recording not switched on because of bad recording parameters",
    )
    ADDED_WITHOUT_RECORDING = _warning(
        281,
        "课节创建成功，视频服务有问题，录课开启失败",
        "class created, recording not switched on because of the video service",
    )
    EDITED_WITH_BAD_RECORDING = _warning(
        282,
        "课节修改成功，录课参数设置错误，录课修改失败",
        "class changed, recording unchanged because of bad recording parameters",
    )
    EDITED_RECORDING_FROZEN = _warning(
        283,
        "课节修改成功，开课前20分钟内不能开启录课，录课修改失败",
        "class changed, recording cannot be switched on in the last 20 minutes",
    )
    EDITED_WITHOUT_RECORDING = _warning(
        284,
        "课节修改成功，视频服务有问题，录课修改失败",
        "class changed, recording unchanged because of the video service",
    )
    PHONE_RANGE = _refusal(288, "此号码段不合法", "number range not allowed")
    NO_SUCH_HEAD_TEACHER = _refusal(310, "新班主任不存在", "new head teacher does not exist")
    HEAD_TEACHER_IS_STUDENT = _refusal(
        311, "课程下的学生不能添加为班主任", "a course student cannot be head teacher"
    )
    HEAD_TEACHER_IS_AUDITOR = _refusal(
        312, "课程下的旁听不能添加为班主任", "a course auditor cannot be head teacher"
    )
    HEAD_TEACHER_HAS_LESSONS = _refusal(
        314,
        "原班主任有未上完的课节，不能更换",
        "former head teacher has unfinished classes and cannot be replaced",
    )
    TEACHER_NOT_REMOVED = _refusal(315, "删除教师失败", "removing the teacher failed")
    NOT_A_COURSE_TEACHER = _refusal(
        316, "教师列表不存在该老师", "not in the teacher list of the course"
    )
    TEACHER_HAS_LESSONS = _refusal(317, "教师有未结束的课节", "teacher still has classes to finish")
    CO_TEACHER_NOT_OF_SCHOOL = _refusal(
        318, "联席教师不是本机构老师", "co-teacher is not a teacher of the school"
    )
    CO_TEACHER_IS_STUDENT = _refusal(
        319, "课程下的学生不能添加为联席教师", "a course student cannot be co-teacher"
    )
    CO_TEACHER_IS_AUDITOR = _refusal(
        320, "课程下的旁听不能添加为联席教师", "a course auditor cannot be co-teacher"
    )
    CO_TEACHER_IS_GUEST = _refusal(
        321, "插班生不能添加为联席教师", "a class guest cannot be co-teacher"
    )
    CO_TEACHER_IS_TEACHER = _refusal(
        322, "课节老师不能添加为联席教师", "the class teacher cannot also be co-teacher"
    )
    CO_TEACHER_NOT_BOOKED = _refusal(
        323, "联席教师购买课节失败", "booking the class for the co-teacher failed"
    )
    TEACHER_NOT_LISTED = _refusal(
        324, "课节老师加入教师列表失败", "entering the class teacher in the teacher list failed"
    )
    TEACHER_IS_GUEST = _refusal(325, "插班生不能添加为老师", "a class guest cannot be the teacher")
    CO_TEACHER_NOT_LISTED = _refusal(
        326, "课节联席教师加入教师列表失败", "entering the co-teacher in the teacher list failed"
    )
    CO_TEACHER_NOT_UNBOOKED = _refusal(
        327, "联席教师退订课节失败", "unbooking the class for the co-teacher failed"
    )
    TEACHER_IS_CO_TEACHER = _refusal(
        328, "课节联席教师不能添加为老师", "a co-teacher of the class cannot become its teacher"
    )
    CO_TEACHER_AS_STUDENT = _refusal(
        329,
        "课节联席教师不能添加为同课节的学生",
        "a co-teacher of the class cannot be its student",
    )
    CO_TEACHER_ACCOUNT_MALFORMED = _refusal(
        330, "联席教师账号格式不正确", "co-teacher account malformed (withdrawn April 2022)"
    )
    HEAD_TEACHER_ACCOUNT_MALFORMED = _refusal(
        331, "班主任账号格式不正确", "head teacher account malformed"
    )
    COURSE_TEACHER_AS_MEMBER = _refusal(
        332,
        "课程老师或联席教师不能添加为课程学生或旁听",
        "course teacher or co-teacher cannot be student or auditor",
    )
    HEAD_TEACHER_AS_STUDENT = _refusal(
        333, "班主任不能添加为课程学生", "head teacher cannot be a course student"
    )
    HEAD_TEACHER_NOT_OF_SCHOOL = _refusal(
        334, "班主任不存在", "head teacher is not a teacher of the school"
    )
    TEACHER_HAS_COURSES = _refusal(
        339, "教师有未结束的课程", "teacher still has a course to finish"
    )
    AVATAR_NOT_STORED = _warning(340, "注册成功，用户头像设置失败", "registered, avatar not stored")
    PICTURE_DIMENSIONS = _refusal(341, "上传图片尺寸错误（300*300）", "picture is not 300x300")
    PICTURE_TOO_LARGE = _refusal(342, "上传图片大小超出限制（1M）", "picture larger than 1 MB")
    SEATS_FROZEN = _refusal(
        348,
        "开课前20分钟内不能修改上台人数",
        "the stage size is frozen 20 minutes before start",
    )
    SEATS_NOT_CHANGED = _refusal(349, "上台人数修改失败", "changing the stage size failed")
    LESSON_FROZEN = _refusal(
        350,
        "开课前20分钟内不能修改课节名称、上课时间、云盘资源、台上人数、是否自动上台、教学模式",
        "name, time, folder, seats, auto-stage and mode are frozen 20 minutes before start",
    )
    LABEL_NAME_TAKEN = _refusal(353, "标签已经存在", "label name already exists")
    TOO_MANY_LABELS = _refusal(354, "超过标签库的数量上限", "label library full")
    LABEL_OF_ANOTHER_SCHOOL = _refusal(355, "标签不属于该机构", "label belongs to another school")
    NO_SUCH_LABEL = _refusal(356, "不存在此 ID 的标签", "label does not exist")
    TOO_MANY_LESSON_LABELS = _refusal(
        357, "超出课节下允许添加数量上限", "too many labels on the class"
    )
    SOME_LABELS_MISSING = _refusal(
        358, "部分标签不存在或已删除", "some labels are missing or deleted"
    )
    SOME_LABELS_FOREIGN = _refusal(
        359, "部分标签不属于本机构", "some labels belong to another school"
    )
    RESOLUTION_NOT_CHANGED = _refusal(
        367, "修改课节属性（高清）失败", "changing the resolution failed"
    )
    SEATS_FORBID_HD = _refusal(368, "当前学生上台数不支持高清", "stage size does not allow HD")
    KIND_NOT_SUPPORTED = _refusal(
        369, "该课程/课节类型暂不支持该操作", "not supported for this course or class type"
    )
    NO_SUCH_PRESET = _refusal(371, "教室设置不存在", "classroom preset does not exist")
    AUTO_STAGE_NOT_CHANGED = _refusal(372, "修改自动上台失败", "changing auto-stage failed")
    PRESET_OF_ANOTHER_SCHOOL = _refusal(
        373, "教室设置不属于本机构", "classroom preset belongs to another school"
    )
    LESSON_NOT_OVER = _refusal(384, "该课节还未结束", "class is not over yet")
    TEACHERS_FROZEN = _refusal(
        385,
        "已过课节结束时间，不能修改授课教师或联席教师",
        "class end has passed, teachers can no longer change",
    )
    SCHOOL_ACCOUNT_NOT_STOPPABLE = _refusal(
        386, "机构账号作为老师不能被停用", "the school account cannot be deactivated as teacher"
    )
    TEACHER_STOPPED = _refusal(387, "老师已被停用", "teacher is deactivated")
    CO_TEACHER_STOPPED = _refusal(388, "联席教师已被停用", "co-teacher is deactivated")
    HEAD_TEACHER_STOPPED = _refusal(389, "班主任已被停用", "head teacher is deactivated")
    COURSE_IS_FULL = _refusal(
        390, "本课程下的课节数量已达到上限", "course has reached its class limit"
    )
    LOCK_NEEDS_END = _refusal(
        391, "未结束的课节不支持修改锁定状态", "lock state of an unfinished class cannot change"
    )
    COURSE_HAS_RUNNING_LESSON = _refusal(
        394, "课程下有正在上的课节，不能结束", "a class is running, the course cannot be ended"
    )
    IDENTITY_TAKEN = _refusal(
        398, "数据已经存在（唯一标识已存在）", "unique identity already exists"
    )
    TOO_MANY_COURSE_LABELS = _refusal(399, "超出课程标签数量上限", "too many labels on the course")
    BAD_DATA = _refusal(
        400,
        "请求数据不合法",
        "request data invalid (for instance a UID that does not exist or is not of this school)",
    )
    SUB_ACCOUNT_NOT_STOPPABLE = _refusal(
        402, "机构子账号不能被停用", "a sub-account of the school cannot be deactivated"
    )
    TOO_MANY_ENTRIES = _refusal(450, "数量超出限制", "too many entries")
    COVER_NOT_STORED = _refusal(
        451, "课节直播封面和介绍添加失败", "storing live cover or introduction failed"
    )
    MAINTENANCE_OVERLAP = _refusal(
        454, "课节起止时间与系统维护时间有重叠", "class time overlaps system maintenance"
    )
    BEING_CREATED = _refusal(
        460, "课程或课节正在被其他请求创建", "course or class is being created by another request"
    )
    EMAIL_ALREADY_REGISTERED = _warning(
        461, "邮箱已注册", "e-mail already registered (UID is returned)"
    )
    MEMBERS_BEING_CHANGED = _refusal(
        464, "课程学生正在被其他请求创建", "course members are being changed by another request"
    )
    LESSON_MADE_ELSEWHERE = _refusal(
        466,
        "通过客户端-创建课堂产生的课节只能在客户端编辑",
        "class was made through the client or LMS and cannot be handled by this call",
    )
    NEEDS_TELEPHONE = _refusal(
        467,
        "免密登录仅支持手机账号，请先绑定手机号",
        "needs an account with a telephone number; bind one first",
    )
    NO_SUCH_CLIP = _refusal(630, "视频片段文件不存在", "clip does not exist")
    NO_CLIP_MADE = _refusal(631, "录课失败未生成视频文件", "recording failed, no file was produced")
    ALL_CLIPS_DELETED = _refusal(
        632, "录课视频文件生成但已全部被删除", "files were produced but all are deleted"
    )
    CLIPS_LOCKED = _refusal(
        633, "删除失败视频文件被保护锁定", "video is locked and cannot be deleted"
    )
    CLIP_DELETED = _refusal(634, "视频片段文件已被删除", "clip is already deleted")
    ENDS_AFTER_SERVICE = _refusal(
        767,
        "当前版本课节结束时间不允许超过服务期限",
        "end lies beyond the service term of the plan",
    )
    HEAD_TEACHER_IS_ANOTHER = _refusal(
        769, "教师版或教师试用版，班主任不是本人", "teacher edition: head teacher must be oneself"
    )
    TEACHER_STOPPING = _refusal(800, "老师被停用中", "teacher is being deactivated")
    CO_TEACHER_STOPPING = _refusal(804, "联席教师被停用中", "co-teacher is being deactivated")
    HEAD_TEACHER_STOPPING = _refusal(805, "班主任被停用中", "head teacher is being deactivated")
    NO_DUAL_CAMERA_HERE = _refusal(808, "该设置不支持双摄", "setting does not allow dual camera")
    NOT_ADDED_AS_STUDENT = _warning(
        820, "注册成功，加为机构学生失败", "registered, not added as school student"
    )
    NOT_ADDED_AS_TEACHER = _warning(
        821, "注册成功，加为机构老师失败", "registered, not added as school teacher"
    )
    IDENTITY_NOT_RELEASED = _warning(
        823, "删除课节成功，删除唯一标识失败", "class deleted, unique identity not released"
    )
    ADDED_WITHOUT_INTRODUCTION = _warning(
        824, "课节添加成功，课节简介设置失败", "class created, introduction not stored"
    )
    EDITED_WITHOUT_INTRODUCTION = _warning(
        825, "课节编辑成功，课节简介设置失败", "class changed, introduction not stored"
    )
    NICKNAME_NOT_SYNCED = _warning(
        841, "成员添加成功，班级昵称同步失败", "member added, nickname sync failed"
    )
    SOME_NICKNAMES_NOT_CHANGED = _warning(
        842, "修改成员班级昵称部分失败", "some class nicknames could not be changed"
    )
    NO_NICKNAME_CHANGED = _refusal(
        843, "修改成员班级昵称全部失败", "no class nickname could be changed"
    )
    TOO_MANY_TEACHERS = _refusal(
        845, "超出机构老师最大启用数量", "quota of active teachers used up"
    )
    LENGTH_NOT_ALLOWED = _refusal(863, "课节时长不合规定", "class length not allowed")
    LESSON_FROZEN_SOON = _refusal(
        875,
        "开课前5分钟内不能修改课节名称、上课时间、云盘资源、台上人数、教室模式等",
        "class data is frozen from 5 minutes before start",
    )
    NO_MESSAGE_POSSIBLE = _refusal(
        877, "传参不支持发送短信", "parameters do not allow a text message"
    )
    TEACH_MODE_NOT_CHANGED = _refusal(880, "修改课节教学模式失败", "changing the teach mode failed")
    HEAD_TEACHER_CANCELLED = _refusal(883, "班主任帐号已注销", "head teacher account is cancelled")
    TEACHER_CANCELLED = _refusal(884, "老师帐号已注销", "teacher account is cancelled")
    CO_TEACHER_CANCELLED = _refusal(885, "联席教师帐号已注销", "co-teacher account is cancelled")
    STUDENT_CANCELLED = _refusal(886, "学生帐号已注销", "student account is cancelled")
    AUDITOR_CANCELLED = _refusal(887, "旁听帐号已注销", "auditor account is cancelled")
    USER_CANCELLED = _refusal(888, "用户帐号已注销", "user account is cancelled")
    GROUPING_NOT_STORED = _refusal(890, "设置课程分组信息失败", "storing the grouping failed")
    GROUPING_NOT_DELETED = _refusal(891, "删除课程分组信息失败", "deleting the grouping failed")
    GROUPING_EXISTS = _refusal(892, "操作失败，已经创建了分组", "a grouping already exists")
    NO_SUCH_GROUPING = _refusal(893, "操作失败，此课程分组不存在", "grouping does not exist")
    LEADER_WRONG = _refusal(895, "操作失败，组长uid错误", "team leader is wrong")
    NO_STUDENTS_OF_SCHOOL = _refusal(
        896, "操作失败，全部为非本机构学生", "none of the users is a student of the school"
    )
    NO_STUDENTS_OF_COURSE = _refusal(
        897, "操作失败，全部学生未参加此课程", "none of the students is in the course"
    )
    SOME_STUDENTS_LEFT_OUT = _warning(
        898, "设置分组成功，部分学生uid有误", "grouping stored, some UIDs were wrong"
    )
    IN_MAINTENANCE = _refusal(901, "系统维护中", "system maintenance, every request is refused")
    NO_SUBJECTS_HERE = _refusal(
        21304, "非中小学不支持设置学科", "subjects are for K12 schools only"
    )
    NO_SUCH_SUBJECT = _refusal(21305, "学科不存在", "subject does not exist")
    CO_TEACHER_TWICE = _refusal(21316, "联席教师数据有重复", "co-teacher listed twice")
    TOO_MANY_CO_TEACHERS = _refusal(21317, "联席教师数量超出限制", "too many co-teachers")
    TEACHER_DELETED = _refusal(21319, "老师已删除", "teacher was deleted")
    STUDENTS_DELETED = _refusal(
        21323, "已删除的学生不支持修改班级昵称", "deleted student, nickname cannot change"
    )
    NO_SUCH_SUB_ACCOUNT = _refusal(22101, "该子账号不存在", "sub-account does not exist")
    SAME_UNIT = _refusal(29046, "当前单元与目标单元相同", "source and target unit are the same")
    NO_SUCH_SOURCE_UNIT = _refusal(29048, "单元不存在", "unit does not exist")
    UNIT_NOT_MOVED = _refusal(29050, "移动单元失败", "moving the unit failed")
    SCHOOL_IN_ARREARS = _refusal(29057, "机构欠费", "school is in arrears")
    SCHOOL_STATE = _refusal(29060, "机构状态不正常", "school is not in good standing")
    TARGET_UNIT_FULL = _refusal(
        29138, "目标单元活动数量超限", "target unit holds too many activities"
    )
    ACTIVITY_DELETED = _refusal(29149, "活动已删除", "activity was deleted")
    ACTIVITY_PUBLISHED = _refusal(29184, "活动已发布", "activity is already published")
    UNIT_NOT_ADDED = _refusal(29200, "单元创建失败", "creating the unit failed")
    UNIT_NOT_DELETED = _refusal(29203, "单元删除失败", "deleting the unit failed")
    UNIT_EXISTS = _refusal(29208, "单元已存在", "unit already exists")
    UNIT_ADDED = _warning(29213, "单元创建成功", "unit was created")
    NO_SUCH_ACTIVITY = _refusal(30002, "活动不存在", "activity does not exist")
    KIND_KEEPS_MEMBERS = _refusal(
        30008, "活动类型错误", "activity type not supported (homework, test)"
    )
    SCHOOL_TYPE_UNREADABLE = _refusal(30013, "获取机构类型错误", "school type could not be read")
    IS_HEAD_TEACHER = _refusal(
        30022, "该成员已经是课程班主任", "already head teacher of the course"
    )
    COURSE_ENDED_OR_EXPIRED = _refusal(30031, "课程已结课", "course has ended")
    STORAGE_FULL = _refusal(31000, "存储已满，请删除部分文件或者扩容", "storage is full")
    UNIT_HAS_HELD_LESSON = _refusal(
        40001, "包含上课中或已结束课堂不可删除", "unit holds a running or finished classroom"
    )
    UNIT_STAYS_PUBLISHED = _refusal(40004, "已发布不可修改为草稿", "published cannot become draft")
    ACTIVITY_RUNNING = _refusal(40005, "课堂活动进行中不可删除", "classroom is running")
    ACTIVITY_HELD = _refusal(40006, "课堂活动已结束，不可删除", "classroom is over")
    NO_SUCH_UNIT = _refusal(40020, "单元不存在", "unit does not exist")
    NOT_IN_COURSE = _refusal(40030, "学生没在班级中", "student is not in the course")
    UNIT_FULL = _refusal(40031, "单元活动数量超限", "unit limit reached")
    UNIT_NAME_TAKEN = _refusal(50003, "单元名称重复", "unit name already used")
    NO_SUCH_TARGET_UNIT = _refusal(50004, "目标单元不存在", "target unit does not exist")
    MALFORMED_REQUEST = _refusal(
        101001001, "参数错误", "parameter error (also: no JSON object, or wrong HTTP method)"
    )
    BAD_SIGNATURE = _refusal(101002005, "签名异常", "signature missing or wrong")
    TIMESTAMP_EXPIRED = _refusal(101002006, "时间戳过期", "timestamp outside five minutes")
    NO_TIMESTAMP = _refusal(101002008, "时间戳不存在", "timestamp missing")
    TOO_MANY_REQUESTS = _refusal(101003001, "请求频次过快", "too many requests")
    REPEATED_TOO_SOON = _refusal(101003002, "重复请求", "same request repeated within 5 seconds")
    SERVICE_CALL_FAILED = _refusal(101004005, "服务内部调用失败", "internal service call failed")
    UNLOCK_CONDITION_IS_DRAFT = _refusal(
        110100065, "活动解锁条件存在草稿", "unlock condition is still a draft"
    )
    DUAL_CAMERA_REFUSED = _refusal(
        110100066, "该设置不支持双摄", "setting does not allow dual camera"
    )
    NICKNAME_SYNC_FAILED = _refusal(110100067, "同步班级昵称失败", "nickname sync failed")
    ACTIVITY_OVER = _refusal(110100069, "活动已结束", "activity is over")
    KIND_TAKES_NO_MEMBERS = _refusal(
        110100070, "活动类型错误", "activity type not supported (homework, test)"
    )
    CO_TEACHER_IS_MAIN_TEACHER = _refusal(
        110100073, "活动老师和助教不能相同", "teacher and co-teacher must differ"
    )
    NOT_IN_PLAN = _refusal(
        121601001, "存在当前版本不支持的设置项", "setting not available in this plan"
    )
    HOURS_USED_UP = _warning(
        121601002,
        "操作成功，[在线教室]资源已超出用量，为防止业务受影响，请尽快联系客户经理",
        "done, but online-classroom quota is exceeded",
    )
    MONTHLY_LIMIT_UPGRADE = _refusal(
        121601003,
        "您当月累计创建课节已达当月上限，无法继续创建，升级账号获取更多权益",
        "monthly class limit reached, upgrade to continue",
    )
    MONTHLY_LIMIT = _refusal(
        121601004, "您当月累计创建课节已达当月上限，无法继续创建", "monthly class limit reached"
    )
    LIVE_NOT_IN_PLAN = _refusal(121601005, "不支持设置网页直播", "web live not available")
    SCENE_NOT_IN_PLAN = _refusal(121601006, "不支持设置录制现场", "scene recording not available")
    SEATS_INVALID = _refusal(121601007, "台上人数参数错误", "stage size invalid")
    CO_TEACHERS_NOT_IN_PLAN = _refusal(121601008, "不支持设置联席教师", "co-teachers not available")
    REPLAY_NOT_IN_PLAN = _refusal(121601009, "不支持设置网页回放", "web replay not available")
    RECORDING_NOT_IN_PLAN = _refusal(121601010, "不支持设置录课", "recording not available")
    DUAL_CAMERA_NOT_IN_PLAN = _refusal(121601011, "不支持设置双摄模式", "dual camera not available")
    RESOLUTION_NOT_IN_PLAN = _refusal(121601012, "清晰度超出限制", "resolution above the limit")
    RECORDING_MISMATCH = _refusal(
        121601014, "录课直播相关参数不匹配", "recording and live parameters do not match"
    )
    TOO_MANY_TO_DELETE = _refusal(121601016, "删除超过最大数量限制", "too many to delete at once")
    BAD_VALUE = _refusal(121601020, "业务参数错误", "business parameter error")
    COURSE_OF_ANOTHER_SCHOOL = _refusal(
        121601021, "课程不属于当前机构下", "course belongs to another school"
    )
    COURSE_NOT_STANDARD = _refusal(121601022, "课程不是标准课", "not a standard course")
    COURSE_PAST_EXPIRY = _refusal(121601023, "课程已过期", "course has expired")
    PARAM_MISSING = _refusal(121601030, "缺少必传参数", "required parameter missing")
    LESSON_OF_ANOTHER_SCHOOL = _refusal(
        121601031, "课节不属于该机构", "class belongs to another school"
    )
    NOT_PERMITTED = _refusal(121601032, "无权限操作", "not permitted")
    LESSON_NOT_PROCESSED = _refusal(121601033, "课节处理失败", "processing the class failed")
    NOT_A_DUAL_LESSON = _refusal(
        121601034, "非在线双师课节不支持此操作", "not a dual-teacher class"
    )
    LESSON_NAME_TOO_LONG = _refusal(
        121601035, "课节名称长度不能超过50", "class name longer than 50"
    )
    SUB_LESSON_FOLLOWS_MAIN = _refusal(
        121601036,
        "子课节不允许修改授课老师信息和上课时间",
        "a sub class cannot change teacher or time",
    )
    NO_SUCH_MAIN_LESSON = _refusal(121601037, "主课节不存在", "main class does not exist")
    TOO_MANY_SUB_LESSONS = _refusal(
        121601038, "主课节下最多支持子课节数100", "main class has its 100 sub classes"
    )
    LESSON_OVER_OR_DELETED = _refusal(
        121601042, "已结束、已删除课节不支持此操作", "not possible on ended or deleted classes"
    )
    TEACHER_OF_ANOTHER_SCHOOL = _refusal(121601044, "非本机构老师", "not a teacher of the school")
    NO_SUCH_SCHOOL = _refusal(121601058, "不存在该机构", "school does not exist")
    STUDENT_NOT_OF_SCHOOL = _refusal(121601059, "机构下无此学生", "not a student of the school")
    TOO_MANY_STUDENTS = _refusal(121601060, "学生数量超过限制100", "more than 100 students")
    TOO_MANY_LESSONS = _refusal(
        121601070, "单个课程下课节数量超过限制", "class limit of the course exceeded"
    )
    BROADCAST_NOT_IN_PLAN = _refusal(121604007, "不支持设置OMO站播", "OMO broadcast not available")
    SAME_COURSE_AS_MAIN = _refusal(
        122301036,
        "主课堂和子课堂需分布在不同的班级",
        "main and sub class must be in different courses",
    )
    MAIN_RECORDING_MISMATCH = _refusal(
        122301037, "录课直播相关参数不匹配", "recording and live parameters do not match"
    )

    @property
    def number(self) -> int:
        """The number on the wire."""
        return self.value.number

    @property
    def outcome(self) -> Outcome:
        """The effect of the request on the data."""
        return self.value.outcome

    @property
    def zh(self) -> str:
        """The label on the wire."""
        return self.value.zh

    @property
    def en(self) -> str:
        """The plain English meaning."""
        return self.value.en


def by_number() -> dict[int, Errno]:
    """Map each number to its row; two rows with one number are a mistake in this file."""
    rows = {errno.number: errno for errno in Errno}
    if len(rows) != len(Errno):
        message = "two rows of the errno catalogue share a number"
        raise RuntimeError(message)
    return rows


BY_NUMBER = by_number()
