// Playback methods for a live stream, in order of latency; the player falls back to the next one.
//
// A method is a function of the video, the URL and options: the callbacks `onLost`, which gets a
// `Loss`, and `onData`, which reports data that may not be playable yet; `hasKeyframes` is false if
// a player must begin with the oldest part. It returns a function that stops playback and frees
// everything.

/** Reasons to give up a connection; the last three are found by the player. */
export const Loss = Object.freeze({
  UNPLAYABLE: "unplayable", // by this browser
  ENDED: "ended", // by the server
  NETWORK: "network", // the server was not reached
  REFUSED: "refused", // the server answered, without the stream
  SILENT: "silent", // nothing arrives
  STUCK: "stuck", // data arrive, and nothing moves
  PICTURELESS: "pictureless", // the sound is played, and never a frame
});

const FLV_OPTIONS = {
  enableWorker: false, // a worker comes from a blob URL, which the content security policy forbids
  enableStashBuffer: false,
  lazyLoad: false,
  autoCleanupSourceBuffer: true,
  autoCleanupMaxBackwardDuration: 60,
  autoCleanupMinBackwardDuration: 30,
};
const HLS_OPTIONS = {
  enableWorker: false,
  lowLatencyMode: true,
  testBandwidth: false,
  startFragPrefetch: true,
  backBufferLength: 30,
  maxLiveSyncPlaybackRate: 1, // live-edge.js does this
  liveSyncOnStallIncrease: 0,
};
const HLS_TYPE = "application/vnd.apple.mpegurl";

/** Load the FLV library once; a page may have preloaded it. */
function loadMpegts() {
  if (window.mpegts) return Promise.resolve(window.mpegts);
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = new URL("./vendor/mpegts.js", import.meta.url);
    script.onload = () => resolve(window.mpegts);
    script.onerror = reject;
    document.head.append(script);
  });
}

/** Start playback when a library has loaded. The returned function also cancels the start. */
function playWhenLoaded(library, start, onLost) {
  let close = null;
  let isClosed = false;
  library.then(
    (methods) => {
      if (!isClosed) close = start(methods);
    },
    () => !isClosed && onLost(Loss.NETWORK),
  );
  return () => {
    isClosed = true;
    close?.();
  };
}

/** Return the loss that a status means; libraries have other numbers where there is no answer. */
function findStatusLoss(status) {
  // A proxy answers 502 for a server that is away.
  return status >= 400 && status < 500 ? Loss.REFUSED : Loss.NETWORK;
}

function playFlv(video, url, { onLost, onData }) {
  function start(library) {
    if (!library.getFeatureList().mseLivePlayback) return onLost(Loss.UNPLAYABLE);
    library.LoggingControl.enableAll = false;
    const { Events, ErrorTypes } = library;
    const player = library.createPlayer(
      // A duration in the metadata is of a file: it would be the length of the live stream.
      { type: "flv", isLive: true, cors: true, duration: 0, url },
      FLV_OPTIONS,
    );
    player.on(Events.LOADING_COMPLETE, () => onLost(Loss.ENDED));
    player.on(Events.ERROR, (kind, _, about) => {
      onLost(kind === ErrorTypes.NETWORK_ERROR ? findStatusLoss(about?.code) : Loss.UNPLAYABLE);
    });
    player.on(Events.STATISTICS_INFO, ({ speed }) => speed > 0 && onData());
    player.attachMediaElement(video);
    player.load();
    return () => player.destroy();
  }
  return playWhenLoaded(loadMpegts(), start, onLost);
}

function playHls(video, url, { onLost, onData, hasKeyframes }) {
  function start({ default: Hls, ErrorTypes, Events }) {
    if (!Hls.isSupported()) return onLost(Loss.UNPLAYABLE);
    const player = new Hls({ ...HLS_OPTIONS, startPosition: hasKeyframes ? -1 : 0 });
    player.on(Events.ERROR, (_, { fatal, type, response }) => {
      if (!fatal) return;
      onLost(type === ErrorTypes.NETWORK_ERROR ? findStatusLoss(response?.code) : Loss.UNPLAYABLE);
    });
    player.on(Events.BUFFER_APPENDED, onData);
    player.loadSource(url);
    player.attachMedia(video);
    return () => player.destroy();
  }
  return playWhenLoaded(import("./vendor/hls.light.min.js"), start, onLost);
}

function playNative(video, url, { onLost }) {
  const onError = () => onLost(Loss.UNPLAYABLE);
  video.addEventListener("error", onError);
  video.src = url;
  return () => {
    video.removeEventListener("error", onError);
    video.removeAttribute("src");
    video.load();
  };
}

/** Return the methods that this browser may support, each with the kind of its source. */
export function listMethods(video) {
  const methods = [];
  if ("MediaSource" in window || "ManagedMediaSource" in window) {
    methods.push({ kind: "flv", open: playFlv }, { kind: "hls", open: playHls });
  }
  if (video.canPlayType(HLS_TYPE)) methods.push({ kind: "hls", open: playNative });
  return methods;
}
