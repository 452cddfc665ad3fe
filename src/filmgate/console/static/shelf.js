import { byId, element, icon } from "./dom.js";
import { local } from "./gate.js";
import { ago, currentLanguage, onLanguage, word } from "./language.js";
import { hasShare } from "./rail.js";
import { ended } from "./watch.js";

export const SHELF = 8;

/** The last films, newest first; `pick` gets the one that is chosen. */
export function startShelf(pick) {
  let tasks = [];
  let shown = null;
  const tiles = new Map();

  function tile(task) {
    const button = element("button", {
      type: "button",
      class: "tile",
      "data-state": task.state,
      "aria-label": word("open", { prompt: task.prompt, state: word(task.state) }),
      "aria-current": task.id === shown ? "true" : null,
      "data-id": task.id,
      title: task.prompt,
      onclick: () => pick(task),
    });
    const caption = element("span", { class: "caption", text: task.prompt });
    button.append(element("span", { class: "frame" }, picture(task)), caption, when(task));
    return element("li", {}, button);
  }

  // A tile is made anew only when its task changed: pictures do not flicker, and focus stays.
  function kept(task) {
    const stamp = [task.version, task.id === shown, task.urls.thumbnail, currentLanguage()].join();
    const known = tiles.get(task.id);
    const item = known?.stamp === stamp ? known.item : tile(task);
    tiles.set(task.id, { stamp, item });
    item.querySelector("time").textContent = ago(Date.parse(task.created_at));
    return item;
  }

  function picture(task) {
    const sign = element("span", { class: "sign" }, icon(task.state),
      hasShare(task) && !ended(task) ? word("percent", { percent: task.progress }) : word(task.state));
    if (!task.urls.thumbnail) return sign;
    const image = element("img", { src: local(task.urls.thumbnail), alt: "" });
    image.addEventListener("error", () => image.replaceWith(sign));
    return image;
  }

  function when(task) {
    const moment = new Date(task.created_at);
    const zoned = { dateStyle: "medium", timeStyle: "long" };
    const tip = new Intl.DateTimeFormat(document.documentElement.lang, zoned).format(moment);
    return element("time", { datetime: task.created_at, title: tip });
  }

  function show() {
    const held = document.activeElement?.dataset?.id;
    byId("shelf").hidden = tasks.length === 0;
    const items = tasks.map(kept);
    for (const id of tiles.keys()) if (!tasks.some((task) => task.id === id)) tiles.delete(id);
    const strip = byId("strip");
    if (items.length === strip.children.length && items.every((item, no) => strip.children[no] === item)) return;
    strip.replaceChildren(...items);
    if (held) strip.querySelector(`[data-id="${CSS.escape(held)}"]`)?.focus({ preventScroll: true });
  }

  onLanguage(show);
  return {
    fill(list) {
      tasks = list.slice(0, SHELF);
      show();
    },
    /** Put one task's newest answer in its place, or at the front. */
    put(task) {
      const known = tasks.some((one) => one.id === task.id);
      const next = known ? tasks.map((one) => (one.id === task.id ? task : one)) : [task, ...tasks];
      tasks = next.slice(0, SHELF);
      show();
    },
    mark(id) {
      shown = id;
      show();
    },
    find: (id) => tasks.find((one) => one.id === id),
    /** Tell whether a film other than the shown one is still being made. */
    moves: () => tasks.some((one) => one.id !== shown && !ended(one)),
  };
}
