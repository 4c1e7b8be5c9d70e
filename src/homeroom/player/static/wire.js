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

export const OVER_PHASES = Object.freeze([Phase.OVER, Phase.CLOSED_EARLY]);
