import { byId, icon, kept, prose } from "./dom.js";
import { startComposer } from "./composer.js";
import { startDoor } from "./door.js";
import * as gate from "./gate.js";
import { onLanguage, switchLanguage, translate, word } from "./language.js";
import { SHELF, startShelf } from "./shelf.js";
import { startStage } from "./stage.js";
import { startTheme } from "./theme.js";

const LOOK_AGAIN_MS = 4000;
// An order without an answer may have been taken: the same words sent again are sent under the same key.
let unanswered = null;
// A task does not tell the picture that it was ordered with; this page does, until it is closed.
const orders = new Map();

const door = startDoor(enter);
const composer = startComposer(order);
const shelf = startShelf(pick);
const stage = startStage({
  again,
  edit: composer.edit,
  changed: shelf.put,
  signedOut: () => leave(word("door.ended")),
});

async function order(request, picture) {
  const said = JSON.stringify(request);
  unanswered = unanswered?.said === said ? unanswered : { said, key: gate.newKey() };
  try {
    const task = await gate.order(request, unanswered.key);
    unanswered = null;
    orders.set(task.id, { request, picture });
    shelf.put(task);
    choose(task);
    bringStage();
  } catch (error) {
    if (error.code !== "unreachable") unanswered = null;
    if (error.status === 401) leave(word("door.ended"));
    throw error;
  }
}

function again(task) {
  const { prompt, model, size, seconds } = task;
  const known = orders.get(task.id);
  composer.send({ ...(known?.request ?? { prompt, model, size, seconds }) }, known?.picture);
}

function choose(task) {
  history.replaceState(null, "", `#${task.id}`);
  stage.start(task);
  shelf.mark(task.id);
}

function pick(task) {
  choose(task);
  bringStage();
}

function bringStage() {
  const small = matchMedia("(max-width: 899px)").matches;
  byId("stage").scrollIntoView({ block: small ? "start" : "nearest" });
}

function leave(text) {
  stage.stop();
  door.open(text);
}

async function enter() {
  document.body.dataset.view = "loading";
  try {
    const [models, films] = await Promise.all([gate.models(), gate.films(SHELF)]);
    document.body.dataset.view = "studio";
    composer.offer(models);
    shelf.fill(films);
    await open(films);
  } catch (error) {
    const spent = new URLSearchParams(location.search).get("signin") === "spent";
    if (error.status === 401) return leave(spent ? word("door.spent") : "");
    document.body.dataset.view = "trouble";
    byId("trouble-text").replaceChildren(...prose(error.message ?? String(error)));
  }
}

async function open(films) {
  const wanted = decodeURIComponent(location.hash.slice(1));
  const known = films.find((film) => film.id === wanted);
  const film = known ?? (wanted && (await gate.film(wanted).catch(() => null))) ?? null;
  const first = film || films[0];
  history.replaceState(null, "", location.pathname);
  if (first) choose(first);
  else stage.start(null);
}

async function lookAgain() {
  if (document.body.dataset.view === "studio" && shelf.moves() && !document.hidden) {
    await gate.films(SHELF).then(shelf.fill, () => null);
  }
  setTimeout(lookAgain, LOOK_AGAIN_MS);
}

byId("language").addEventListener("click", switchLanguage);
byId("signout").append(icon("signout"));
byId("signout").addEventListener("click", async () => {
  await gate.signOut().catch(() => null);
  kept.set("draft", null);
  // Nothing of one person stays for the next: not a picture, not a prompt.
  location.replace(location.pathname);
});
byId("trouble-again").addEventListener("click", enter);

function nameLanguage() {
  const button = byId("language");
  button.textContent = word("other");
  button.lang = word("other") === "English" ? "en" : "zh-CN";
}
onLanguage(nameLanguage);
nameLanguage();
startTheme();
translate();
enter();
lookAgain();
