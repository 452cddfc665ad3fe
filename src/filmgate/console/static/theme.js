import { byId, icon, kept } from "./dom.js";
import { onLanguage, word } from "./language.js";

const THEMES = ["system", "light", "dark"];
const root = document.documentElement;

const current = () => root.dataset.theme ?? "system";

export function startTheme() {
  const button = byId("theme");
  const show = () => {
    button.replaceChildren(icon(current()));
    button.setAttribute("aria-label", word(`theme.${current()}`));
    button.title = word(`theme.${current()}`);
  };
  button.addEventListener("click", () => {
    const next = THEMES[(THEMES.indexOf(current()) + 1) % THEMES.length];
    if (next === "system") delete root.dataset.theme;
    else root.dataset.theme = next;
    kept.set("theme", next === "system" ? null : next);
    show();
  });
  onLanguage(show);
  show();
}
