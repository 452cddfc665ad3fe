import { kept } from "./dom.js";
import en from "./words.en.js";
import zh from "./words.zh.js";

const catalogues = { en, zh };
const root = document.documentElement;
let language = root.lang.startsWith("zh") ? "zh" : "en";
const listeners = [];

export const currentLanguage = () => language;

export function word(key, values = {}) {
  return catalogues[language][key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

/** Tell whether a text is a word of any catalogue: then nobody typed it. */
export const isWord = (key, text) => Object.values(catalogues).some((words) => words[key] === text);

export function number(value, digits = 0) {
  const options = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  return new Intl.NumberFormat(root.lang, options).format(value);
}

export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];

export function ago(moment) {
  const passed = Math.max(0, (Date.now() - moment) / 1000);
  const [unit, span] = UNITS.find(([, seconds]) => passed >= seconds) ?? UNITS[3];
  const style = { numeric: "auto", style: "short" };
  return new Intl.RelativeTimeFormat(root.lang, style).format(-Math.floor(passed / span), unit);
}

export function translate(within = document) {
  for (const one of within.querySelectorAll("[data-word]")) one.textContent = word(one.dataset.word);
  for (const one of within.querySelectorAll("[data-label]")) one.setAttribute("aria-label", word(one.dataset.label));
  for (const one of within.querySelectorAll("[data-tip]")) one.title = word(one.dataset.tip);
  for (const one of within.querySelectorAll("[data-hint]")) one.placeholder = word(one.dataset.hint);
}

export const onLanguage = (listener) => listeners.push(listener);

export function switchLanguage() {
  language = language === "zh" ? "en" : "zh";
  root.lang = language === "zh" ? "zh-CN" : "en";
  kept.set("language", language);
  translate();
  for (const listener of listeners) listener();
}
