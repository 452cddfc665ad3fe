import { byId, element, icon } from "./dom.js";
import { local } from "./gate.js";
import { clock, number, word } from "./language.js";

const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

const posterOf = (task) => local(task.urls.poster ?? task.urls.thumbnail);

/** Put a film on the screen; one that was just made starts by itself, without sound. */
export function showFilm(task, fresh) {
  const [video, sound] = ["film", "sound"].map(byId);
  const address = local(task.urls.video);
  if (video.getAttribute("src") !== address) {
    video.poster = posterOf(task) ?? "";
    video.src = address;
    video.muted = video.loop = fresh;
    sound.hidden = true;
    if (fresh && !still()) play(video, sound, task.film.audio_codec !== null);
  }
  video.hidden = false;
  video.setAttribute("aria-label", word("film.name", { prompt: task.prompt }));
  sound.replaceChildren(icon("muted"), word("sound.on"));
  glow(posterOf(task));
}

function play(video, sound, hasSound) {
  video.play().then(() => { sound.hidden = !hasSound; }, () => { video.muted = video.loop = false; });
}

export function hideFilm() {
  const video = byId("film");
  video.hidden = true;
  byId("sound").hidden = true;
  if (video.hasAttribute("src")) {
    video.removeAttribute("src");
    video.removeAttribute("poster");
    video.load();
  }
  glow(null);
}

function glow(address) {
  const light = byId("glow");
  light.hidden = !address;
  if (address) light.src = address;
  else light.removeAttribute("src");
}

export function startFilm(renew) {
  const [video, sound] = ["film", "sound"].map(byId);
  sound.addEventListener("click", () => {
    video.muted = video.loop = false;
    video.currentTime = 0;
    sound.hidden = true;
    video.focus();
    video.play();
  });
  video.addEventListener("volumechange", () => { sound.hidden ||= !video.muted; });
  // A link lasts a day; a page that stood open for longer asks for the task's new one.
  video.addEventListener("error", () => video.hasAttribute("src") && renew());
}

export function factsOf({ film, model, running_s: running }) {
  const whole = Number.isInteger(film.fps);
  const facts = [
    [word("seconds", { seconds: number(film.seconds, 1) }), ""],
    [`${film.width}x${film.height}`, ""],
    [word("fps", { fps: number(film.fps, whole ? 0 : 2) }), ""],
    [word("megabytes", { size: number(film.size_bytes / 1e6, 1) }), `${film.video_codec} ${film.audio_codec ?? ""}`],
    [word("took", { clock: clock(running) }), model],
  ];
  return facts.map(([text, tip]) => element("li", { text, title: tip || null }));
}

/** A file name that keeps the prompt's own letters, and nothing that a file system minds. */
export function fileNameOf(task) {
  const plain = task.prompt.normalize("NFC").replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-|-$/g, "");
  return `${[...plain].slice(0, 48).join("") || "film"}.mp4`;
}
