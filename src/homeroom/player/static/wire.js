/** The enums of the server, written by `python -m homeroom.player.wire`. */

export const Phase = Object.freeze({
  BEFORE: "before",
  OPEN_EARLY: "open_early",
  RUNNING: "running",
  OVER: "over",
  CLOSED_EARLY: "closed_early",
});

export const View = Object.freeze({
  LOCKED: "locked",
  COUNTDOWN: "countdown",
  SOON: "soon",
  PICTURE: "picture",
  AWAY: "away",
  REPLAY_LATER: "replay_later",
  NOT_SHOWN: "not_shown",
  OVER: "over",
  REPLAY_SOON: "replay_soon",
  REPLAY: "replay",
});

export const TeacherView = Object.freeze({
  BEFORE: "before",
  OPEN_EARLY: "open_early",
  RUNNING: "running",
  OVERTIME: "overtime",
  CLIPS: "clips",
  CLIPS_SOON: "clips_soon",
  NO_CLIPS: "no_clips",
  DELETED: "deleted",
});

export const CloseCode = Object.freeze({
  INTERNAL_ERROR: 1011,
  RESTART: 1012,
  MALFORMED: 4400,
  LOGIN_REQUIRED: 4401,
  NOT_FOUND: 4404,
  JOIN_TIMEOUT: 4408,
  TOO_MANY: 4429,
});

export const ChatRole = Object.freeze({
  VIEWER: "viewer",
  TEACHER: "teacher",
  OPERATOR: "operator",
});

export const ChatAccess = Object.freeze({
  OPEN: "open",
  GUEST: "guest",
  LOGIN: "login",
  MUTED: "muted",
});

export const ChatRefusal = Object.freeze({
  EMPTY: "empty",
  LONG: "long",
  OVER: "over",
  GUEST: "guest",
  LOGIN: "login",
  MUTED: "muted",
  PAUSED: "paused",
  SLOW: "slow",
  ROOM_SLOW: "room_slow",
  MISSING: "missing",
  FAILED: "failed",
});

export const ParticipantKind = Object.freeze({
  VISITOR: "visitor",
  GUEST: "guest",
  LINK: "link",
  USER: "user",
  STAFF: "staff",
});

export const LoginRefusal = Object.freeze({
  WRONG: "wrong",
  TELEPHONE: "telephone",
  NICKNAME: "nickname",
  LOGIN: "login",
  THROTTLED: "throttled",
});

export const PublishRefusal = Object.freeze({
  NOT_INSTALLED: "not_installed",
  OFFER: "offer",
  BUSY: "busy",
  FAILED: "failed",
  EARLY: "early",
  OVER: "over",
  NO_STREAM: "no_stream",
});

export const StreamProblem = Object.freeze({
  PICTURE_MISSING: "picture_missing",
  SOUND_MISSING: "sound_missing",
  KEYFRAMES_MISSING: "keyframes_missing",
  KEYFRAMES_TOO_RARE: "keyframes_too_rare",
  HEADERS_MISSING: "headers_missing",
  FRAMES_DAMAGED: "frames_damaged",
  RECORDING_FAILED: "recording_failed",
});

export const OVER_PHASES = Object.freeze([Phase.OVER, Phase.CLOSED_EARLY]);
