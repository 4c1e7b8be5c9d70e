// Chooses the note over the live picture: what is missing at the moment, and whose fault it is.

import { StreamProblem } from "./wire.js";

// Milliseconds without a movement before a note; with the interval of the checks under two seconds.
const NOTE_DELAY_MS = 1700;
const MOVING_MS = 600; // without a movement that may be nothing but the rhythm of the frames

const PICTURE_PROBLEMS = [
  StreamProblem.PICTURE_MISSING,
  StreamProblem.KEYFRAMES_MISSING,
  StreamProblem.HEADERS_MISSING,
  StreamProblem.FRAMES_DAMAGED,
];

/** Return whether the program of the teacher sends neither picture nor sound. */
export function sendsNothing(problems) {
  return problems.has(StreamProblem.PICTURE_MISSING) && problems.has(StreamProblem.SOUND_MISSING);
}

/** Return whether the server knows why a viewer who joins now gets no picture. */
export function explainsNoPicture(problems) {
  return PICTURE_PROBLEMS.some((problem) => problems.has(problem));
}

/** Return the name of the note that is true now, or an empty string while nothing is missing.
 *
 * `problems` are what the server knows of the stream, `monitor` what this page measures, `brokenAt`
 * when playback was interrupted (0 if it is not), `isOffline` whether the server was not reached,
 * `hasPlayed` whether the viewer has seen or heard something of this stream.
 */
export function chooseNote({ problems, monitor, now, brokenAt, isOffline, hasPlayed }) {
  const standingMs = now - (brokenAt || monitor.movedAt);
  if (standingMs > NOTE_DELAY_MS)
    return isOffline ? "reconnecting" : chooseStandingNote(problems, monitor, hasPlayed);
  const isMoving = standingMs < MOVING_MS;
  if (sendsNothing(problems)) return isMoving || isOffline ? "" : "nothing_sent";
  return brokenAt ? "" : choosePlayingNote(problems, monitor, isMoving);
}

/** Return the note while nothing moves. */
function chooseStandingNote(problems, monitor, hasPlayed) {
  if (sendsNothing(problems)) return "nothing_sent";
  const hadSoundOnly = hasPlayed && !monitor.hasFrames;
  if (hadSoundOnly && problems.has(StreamProblem.SOUND_MISSING)) return "sound_missing";
  return findStartProblem(problems) || (hasPlayed ? "standing" : "waiting");
}

/** Return the note while something moves: the picture, the sound or both. */
function choosePlayingNote(problems, monitor, isMoving) {
  const patience = Math.max(NOTE_DELAY_MS, monitor.hasFrames ? monitor.longFrameGap : 0);
  const isFrozen = monitor.hasPictureTrack && monitor.movedAt - monitor.frameAt > patience;
  const hasNoPicture = !monitor.hasPictureTrack || (isFrozen && !monitor.hasFrames);
  const startProblem = hasNoPicture && findStartProblem(problems);
  if (startProblem) return startProblem;
  if (isFrozen && !monitor.hasFrames) return "waiting";
  // Where the sound has stopped too, the server will know it in a moment.
  if (problems.has(StreamProblem.PICTURE_MISSING)) return isMoving ? "picture_missing" : "";
  // It may be this browser that has no time for pictures.
  if (isFrozen) return "frozen";
  return problems.has(StreamProblem.SOUND_MISSING) ? "sound_missing" : "";
}

/** Return the note on a picture that is sent, but that no player can start with. */
function findStartProblem(problems) {
  if (problems.has(StreamProblem.KEYFRAMES_MISSING)) return "keyframes_missing";
  const isUndecodable =
    problems.has(StreamProblem.HEADERS_MISSING) || problems.has(StreamProblem.FRAMES_DAMAGED);
  return isUndecodable ? "undecodable" : "";
}
