import { byId, element, icon } from "./dom.js";
import { clock, word } from "./language.js";

const STEPS = ["queued", "preparing", "generating", "collecting", "succeeded"];
const ALSO_GENERATING = new Set(["extending", "upsampling"]);

/** The part under the screen while a film is made: phases, bar, place in line and both clocks. */
export function showRun(task, answeredAt) {
  showRail(task.state);
  showBar(task);
  showClocks(task, answeredAt);
  const place = task.queue_position;
  const waiting = task.state === "queued" && place !== null;
  byId("place").textContent = !waiting ? "" : place === 0 ? word("ahead.next") : word("ahead", { count: place });
}

function showRail(state) {
  const step = ALSO_GENERATING.has(state) ? "generating" : state;
  const now = STEPS.indexOf(step);
  const items = STEPS.map((one, no) => {
    const name = no === now ? state : one;
    const item = element("li", { "data-state": name, "data-place": no < now ? "past" : no === now ? "now" : "next" },
      icon(no < now ? "succeeded" : name), element("span", { text: word(name) }));
    if (no === now) item.setAttribute("aria-current", "step");
    return item;
  });
  byId("rail").replaceChildren(...items);
}

/** A share is claimed only once the film itself moves; before, the bar says no more than "at work". */
export const hasShare = (task) => task.progress > 0 && task.state !== "queued" && task.state !== "preparing";

function showBar(task) {
  const bar = byId("bar");
  const known = hasShare(task);
  bar.classList.toggle("unknown", !known);
  bar.style.setProperty("--share", task.progress / 100);
  byId("screen").style.setProperty("--share", known ? task.progress / 100 : 0);
  const percent = word("percent", { percent: task.progress });
  byId("percent").textContent = known ? percent : word(task.state);
  byId("leader-number").replaceChildren(known ? String(task.progress) : icon(task.state));
  if (known) bar.setAttribute("aria-valuenow", task.progress);
  else bar.removeAttribute("aria-valuenow");
  bar.setAttribute("aria-valuetext", known ? percent : word(task.state));
}

/** Waiting and running are two clocks; between answers they go on from the gate's own numbers. */
export function showClocks(task, answeredAt) {
  const since = (performance.now() - answeredAt) / 1000;
  const runs = task.started_at !== null;
  const [waited, running] = runs ? [task.waited_s, task.running_s + since] : [task.waited_s + since, 0];
  byId("waited").textContent = word("waited", { clock: clock(waited) });
  byId("running").textContent = runs ? word("running", { clock: clock(running) }) : "";
}
