// Playback methods for a live stream, in order of latency; the player falls back to the next one.
//
// A method is a function of the video, the URL and an `onLost` callback, which gets "unplayable",
// "ended" or "lost". It returns a function that stops playback and frees everything.

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
    () => !isClosed && onLost("lost"),
  );
  return () => {
    isClosed = true;
    close?.();
  };
}

function playFlv(video, url, onLost) {
  function start(library) {
    if (!library.getFeatureList().mseLivePlayback) return onLost("unplayable");
    library.LoggingControl.enableAll = false;
    const { Events, ErrorTypes } = library;
    const player = library.createPlayer(
      { type: "flv", isLive: true, cors: true, url },
      FLV_OPTIONS,
    );
    player.on(Events.LOADING_COMPLETE, () => onLost("ended"));
    player.on(Events.ERROR, (kind) => {
      onLost(kind === ErrorTypes.MEDIA_ERROR ? "unplayable" : "lost");
    });
    player.attachMediaElement(video);
    player.load();
    return () => player.destroy();
  }
  return playWhenLoaded(loadMpegts(), start, onLost);
}

function playHls(video, url, onLost) {
  function start({ default: Hls, ErrorTypes, Events }) {
    if (!Hls.isSupported()) return onLost("unplayable");
    const player = new Hls(HLS_OPTIONS);
    player.on(Events.ERROR, (_, { fatal, type }) => {
      if (fatal) onLost(type === ErrorTypes.MEDIA_ERROR ? "unplayable" : "lost");
    });
    player.loadSource(url);
    player.attachMedia(video);
    return () => player.destroy();
  }
  return playWhenLoaded(import("./vendor/hls.light.min.js"), start, onLost);
}

function playNative(video, url, onLost) {
  const onError = () => onLost("unplayable");
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
