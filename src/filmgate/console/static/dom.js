const SVG = "http://www.w3.org/2000/svg";

export const byId = (id) => document.getElementById(id);

/** Make an element; `text` is text, never markup, and names that start with `on` are listeners. */
export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "text") made.textContent = value;
    else if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

export function icon(name) {
  const made = document.createElementNS(SVG, "svg");
  made.setAttribute("class", "icon");
  made.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `console/icons.svg#${name}`);
  made.append(use);
  return made;
}

/** Give text in which what stands between backticks is code. */
export function prose(text) {
  return text.split("`").map((part, no) => (no % 2 ? element("code", { text: part }) : part));
}

/** Remember a small text on this device; a browser that forbids it forgets. */
export const kept = {
  get(name) {
    try {
      return localStorage.getItem(`filmgate.${name}`);
    } catch {
      return null;
    }
  },
  set(name, value) {
    try {
      if (value === null) localStorage.removeItem(`filmgate.${name}`);
      else localStorage.setItem(`filmgate.${name}`, value);
    } catch {
      return;
    }
  },
};
