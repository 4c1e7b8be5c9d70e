// The ways in which a browser can play a live stream, the quickest first.
//
// Each is a function of the video, the address and what to call when the stream is lost, with
// "unplayable", "ended" or "lost"; it returns a function that lets go of everything.

const FLV = {
  enableWorker: false, // a worker would come from a blob, which the policy of the page forbids
  enableStashBuffer: false,
  lazyLoad: false,
  autoCleanupSourceBuffer: true,
  autoCleanupMaxBackwardDuration: 60,
  autoCleanupMinBackwardDuration: 30,
};
const HLS = {
  enableWorker: false,
  lowLatencyMode: true,
  testBandwidth: false,
  startFragPrefetch: true,
  backBufferLength: 30,
  maxLiveSyncPlaybackRate: 1, // our own edge.js does this
  liveSyncOnStallIncrease: 0,
};
const NATIVE = "application/vnd.apple.mpegurl";

/** The library for FLV; a page that has it loaded already saves the time. */
function mpegts() {
  if (window.mpegts) return Promise.resolve(window.mpegts);
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = new URL("./vendor/mpegts.js", import.meta.url);
    script.onload = () => resolve(window.mpegts);
    script.onerror = reject;
    document.head.append(script);
  });
}

/** Begin to play as soon as a library is there; returns how to let go, also before that. */
function once(library, begin, lost) {
  let close = null;
  let isClosed = false;
  library.then(
    (found) => {
      if (!isClosed) close = begin(found);
    },
    () => !isClosed && lost("lost"),
  );
  return () => {
    isClosed = true;
    close?.();
  };
}

function flv(video, url, lost) {
  function begin(library) {
    if (!library.getFeatureList().mseLivePlayback) return lost("unplayable");
    library.LoggingControl.enableAll = false;
    const { Events, ErrorTypes } = library;
    const player = library.createPlayer({ type: "flv", isLive: true, cors: true, url }, FLV);
    player.on(Events.LOADING_COMPLETE, () => lost("ended"));
    player.on(Events.ERROR, (kind) => {
      lost(kind === ErrorTypes.MEDIA_ERROR ? "unplayable" : "lost");
    });
    player.attachMediaElement(video);
    player.load();
    return () => player.destroy();
  }
  return once(mpegts(), begin, lost);
}

function hls(video, url, lost) {
  function begin({ default: Hls, ErrorTypes, Events }) {
    if (!Hls.isSupported()) return lost("unplayable");
    const player = new Hls(HLS);
    player.on(Events.ERROR, (_, { fatal, type }) => {
      if (fatal) lost(type === ErrorTypes.MEDIA_ERROR ? "unplayable" : "lost");
    });
    player.loadSource(url);
    player.attachMedia(video);
    return () => player.destroy();
  }
  return once(import("./vendor/hls.light.min.js"), begin, lost);
}

function native(video, url, lost) {
  const failed = () => lost("unplayable");
  video.addEventListener("error", failed);
  video.src = url;
  return () => {
    video.removeEventListener("error", failed);
    video.removeAttribute("src");
    video.load();
  };
}

/** The ways that this browser may know, each a kind of source and a function. */
export function ways(video) {
  const found = [];
  if ("MediaSource" in window || "ManagedMediaSource" in window) {
    found.push({ kind: "flv", open: flv }, { kind: "hls", open: hls });
  }
  if (video.canPlayType(NATIVE)) found.push({ kind: "hls", open: native });
  return found;
}
