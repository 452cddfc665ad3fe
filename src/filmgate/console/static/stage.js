import { byId, element, icon, prose } from "./dom.js";
import { onLanguage, word } from "./language.js";
import { startCurlButton } from "./composer.js";
import { curlOf } from "./curl.js";
import { factsOf, fileNameOf, hideFilm, showFilm, startFilm } from "./film.js";
import * as gate from "./gate.js";
import { hasShare, showClocks, showRun } from "./rail.js";
import { ended, follow } from "./watch.js";

const lookOf = (task) => (task === null ? "empty" : ended(task) ? (task.film ? "done" : "failed") : "running");
const requestOf = ({ prompt, model, size, seconds }) => ({ prompt, model, size, seconds });

/** The screen and what stands under it. `again` and `edit` get the task; `changed` gets each of its answers. */
export function startStage({ again, edit, changed, signedOut }) {
  let task = null;
  let answeredAt = 0;
  let following = new AbortController();
  let ticking = 0;

  function show(next, fresh = false) {
    const before = task;
    task = next;
    answeredAt = performance.now();
    const look = lookOf(task);
    byId("stage").dataset.look = look;
    if (task) byId("stage").dataset.state = task.state;
    say(before);
    shape();
    if (look !== "done") hideFilm();
    if (look === "running") showRun(task, answeredAt);
    if (look === "done") showFilm(task, fresh);
    byId("card").replaceChildren(...cardOf(look));
    showUnder(look);
    title();
  }

  // Phases are spoken, each percent is not.
  function say(before) {
    if (!task || (before?.id === task.id && before.state === task.state)) return;
    if (before === null && ended(task)) return;
    byId("news").textContent = [word(task.state), task.error?.message].filter(Boolean).join(". ");
  }

  function shape() {
    const [width, height] = (task?.film ? `${task.film.width}x${task.film.height}` : task?.size ?? "16x9").split("x");
    byId("screen").style.setProperty("--shape", width / height);
  }

  function cardOf(look) {
    if (look === "empty") {
      return [element("h2", { text: word("empty.title") }), element("p", { text: word("empty.text") })];
    }
    if (look !== "failed") return [];
    const said = task.error?.message;
    return [icon(task.state), element("h2", { text: word(task.state) }), said ? element("p", {}, ...prose(said)) : ""];
  }

  function showUnder(look) {
    byId("told").textContent = task?.prompt ?? "";
    const mark = () => element("li", { class: "mark", "data-state": task.state }, icon(task.state), word(task.state));
    byId("facts").replaceChildren(...(look === "done" ? [mark(), ...factsOf(task)] : []));
    byId("actions").replaceChildren(...(task && ended(task) ? actions() : []));
  }

  function actions() {
    const own = task;
    const button = (name, onclick) =>
      element("button", { type: "button", class: "plain", onclick }, icon(name), word(name));
    const file = { href: gate.local(own.urls.video), download: fileNameOf(own) };
    const download = element("a", { class: "plain", ...file }, icon("download"), word("download"));
    const curl = element("button", { type: "button", class: "plain", "aria-label": word("curl"), title: word("curl") });
    return [
      own.film ? download : "",
      button("again", () => again(own)),
      button("edit", () => edit(own)),
      startCurlButton(curl, () => curlOf(requestOf(own), location.origin)),
    ];
  }

  function title() {
    const running = task && !ended(task);
    const share = running && hasShare(task) ? word("percent", { percent: task.progress }) : null;
    // A film that ends while nobody looks says so in its tab.
    const state = running || (task && document.hidden) ? word(task.state) : null;
    document.title = [share ?? state, "Filmgate"].filter(Boolean).join(" · ");
  }

  function connection(text) {
    byId("connection").textContent = text;
    byId("run").classList.toggle("stale", text !== "");
  }

  function stopFollowing() {
    following.abort();
    following = new AbortController();
    clearInterval(ticking);
    connection("");
  }

  function start(next) {
    stopFollowing();
    show(next);
    if (next === null || ended(next)) return;
    ticking = setInterval(() => task && !ended(task) && showClocks(task, answeredAt), 1000);
    const { signal } = following;
    follow(next, {
      changed(answer) {
        connection("");
        show(answer, ended(answer));
        changed(answer);
        if (ended(answer)) clearInterval(ticking);
      },
      lost: () => connection(word(navigator.onLine ? "lost" : "offline")),
      gone: (error) => (error.status === 401 ? signedOut() : start(null)),
    }, signal);
  }

  async function renew() {
    const own = task;
    const answer = await gate.film(own.id).catch(() => null);
    const other = answer?.urls.video && gate.local(answer.urls.video) !== gate.local(own.urls.video);
    if (task === own && other) show(answer);
  }

  startFilm(renew);
  document.addEventListener("visibilitychange", title);
  onLanguage(async () => {
    const own = task;
    const answer = own?.error ? await gate.film(own.id).catch(() => own) : own;
    if (task === own) show(answer);
  });
  return { start, stop: stopFollowing };
}
