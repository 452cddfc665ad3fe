import { byId, element } from "./dom.js";
import { onLanguage, word } from "./language.js";

const SEGMENTS_AT_MOST = 6;
const PICTURE_SIDE_PX = 26;

const divisor = (a, b) => (b === 0 ? a : divisor(b, a % b));
const sides = (size) => size.split("x").map(Number);
const area = (size) => sides(size).reduce((a, b) => a * b);

function ratioOf(size) {
  const [width, height] = sides(size);
  const by = divisor(width, height);
  return `${width / by}:${height / by}`;
}

function radio(name, value, checked, children, onchange) {
  const input = element("input", { type: "radio", name, value, onchange });
  input.checked = checked;
  return element("label", {}, input, element("span", {}, ...children));
}

function shape(ratio) {
  const [width, height] = ratio.split(":").map(Number);
  const scale = PICTURE_SIDE_PX / Math.max(width, height);
  const made = element("i", { "aria-hidden": "true" });
  made.style.width = `${width * scale}px`;
  made.style.height = `${height * scale}px`;
  return made;
}

/** The choices that a model offers; what it lacks is absent. `changed` is called after each. */
export function startChoices(changed) {
  let model = null;
  let size = null;
  let seconds = null;

  function showRatios() {
    const ratios = [...new Set(model.sizes.map(ratioOf))];
    const pick = (ratio) => () => {
      size = model.sizes.find((one) => ratioOf(one) === ratio);
      showSizes();
      changed();
    };
    const choices = ratios.map((one) => radio("ratio", one, one === ratioOf(size), [shape(one), one], pick(one)));
    byId("ratios").replaceChildren(...choices);
  }

  function showSizes() {
    const sizes = model.sizes.filter((one) => ratioOf(one) === ratioOf(size)).sort((a, b) => area(a) - area(b));
    const pick = (one) => () => {
      size = one;
      changed();
    };
    byId("sizes").replaceChildren(...sizes.map((one) => radio("size", one, one === size, [one], pick(one))));
  }

  function showSeconds() {
    const legend = byId("length").querySelector("legend");
    const pick = (one) => () => {
      seconds = one;
      changed();
    };
    byId("length-told").textContent = "";
    const segments = () => model.seconds.map((one) =>
      radio("seconds", one, one === seconds, [word("seconds", { seconds: one })], pick(one)));
    const many = model.seconds.length > SEGMENTS_AT_MOST;
    const choice = many ? slider() : element("div", { class: "segments" }, ...segments());
    byId("length").replaceChildren(legend, choice);
  }

  // Its steps are places in the model's list, so that a list with gaps never gives a length between them.
  function slider() {
    const told = () => word("seconds", { seconds });
    const input = element("input", { id: "seconds", type: "range", min: 0, max: model.seconds.length - 1, step: 1 });
    input.value = model.seconds.indexOf(seconds);
    const show = () => {
      byId("length-told").textContent = told();
      input.setAttribute("aria-valuetext", told());
      input.style.setProperty("--fill", input.value / input.max);
    };
    input.setAttribute("aria-label", word("length"));
    input.addEventListener("input", () => {
      seconds = model.seconds[Number(input.value)];
      show();
      changed();
    });
    show();
    return input;
  }

  onLanguage(() => model && showSeconds());
  return {
    /** Show what a model offers; what was chosen stays where the model has it too. */
    offer(next, wanted = {}) {
      model = next;
      size = [wanted.size, size, model.sizes[0]].find((one) => model.sizes.includes(one));
      const known = [wanted.seconds, seconds, model.default_seconds];
      seconds = known.find((one) => model.seconds.includes(one));
      showRatios();
      showSizes();
      showSeconds();
    },
    value: () => ({ size, seconds }),
  };
}
