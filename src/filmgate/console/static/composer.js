import { byId, element, icon, kept, prose } from "./dom.js";
import { copy, curlOf } from "./curl.js";
import { isWord, number, onLanguage, word } from "./language.js";
import { startChoices } from "./choices.js";
import { startPicture } from "./picture.js";

const EXAMPLES = [1, 2, 3, 4, 5];

/** The form; `order(request, picture)` is called with what the person asks for, and may reject. */
export function startComposer(order) {
  const [prompt, select, button, mishap] = ["prompt", "model", "generate", "mishap"].map(byId);
  const picture = startPicture((text) => {
    fail(text && { message: text });
    changed();
  });
  const choices = startChoices(changed);
  let models = [];

  const model = () => models.find((one) => one.name === select.value);
  const untouched = () => EXAMPLES.find((no) => isWord(`example.${no}`, prompt.value));

  function request() {
    const image = picture.value()?.address;
    return { prompt: prompt.value.trim(), model: select.value, ...choices.value(), ...(image ? { image } : {}) };
  }

  function keep() {
    kept.set("draft", JSON.stringify({ prompt: prompt.value, model: select.value, ...choices.value() }));
  }

  const command = () => curlOf(request(), location.origin, picture.value());

  function changed() {
    keep();
    byId("terminal").textContent = command();
  }

  function write(text) {
    prompt.value = text;
    count();
    changed();
  }

  function count() {
    byId("count").textContent = word("count", { count: number([...prompt.value].length) });
    if (!CSS.supports("field-sizing", "content")) {
      prompt.style.height = "auto";
      prompt.style.height = `${prompt.scrollHeight + 2}px`;
    }
    if (prompt.value.trim()) prompt.removeAttribute("aria-invalid");
  }

  function describe() {
    const it = model();
    if (!it) return;
    const [least, most] = [it.seconds[0], it.seconds.at(-1)];
    const dense = it.seconds.length === most - least + 1 && least !== most;
    const facts = [
      it.name === "animatic" ? word("model.animatic") : null,
      word("model.seconds", { seconds: dense ? `${least}–${most}` : it.seconds.join(", ") }),
      it.pictures.first ? word("model.first") : null,
      word(it.sound ? "model.sound" : "model.silent"),
    ];
    byId("about").textContent = facts.filter(Boolean).join(" · ");
  }

  function choose(wanted = {}) {
    if (models.some((one) => one.name === wanted.model)) select.value = wanted.model;
    const it = model();
    if (!it) return;
    choices.offer(it, wanted);
    picture.allow(it.pictures.first > 0);
    describe();
    byId("terminal").textContent = command();
  }

  function fail(error, retry = null) {
    const again = retry && element("button", { type: "button", class: "plain", text: word("retry"), onclick: retry });
    mishap.replaceChildren(...(error ? [icon("failed"), element("p", {}, ...prose(error.message)), again ?? ""] : []));
    if (error?.field === "prompt") prompt.setAttribute("aria-invalid", "true");
    if (error) mishap.scrollIntoView({ block: "nearest" });
  }

  async function send(said, shown) {
    fail(null);
    button.disabled = true;
    button.textContent = word("sending");
    try {
      await order(said, shown);
    } catch (error) {
      fail(error, () => send(said, shown));
    } finally {
      button.disabled = false;
      button.textContent = word("generate");
    }
  }

  function submit(event) {
    event?.preventDefault();
    if (button.disabled) return;
    if (!model()) return fail({ message: word("model.none") });
    if (!prompt.value.trim()) {
      fail({ message: word("prompt.empty"), field: "prompt" });
      return prompt.focus();
    }
    send(request(), picture.value());
  }

  function speak() {
    const example = untouched();
    if (example) prompt.value = word(`example.${example}`);
    button.textContent = word("generate");
    byId("examples").replaceChildren(...EXAMPLES.map((no) => element("button", {
      type: "button",
      class: "chip",
      text: word(`example.name.${no}`),
      title: word(`example.${no}`),
      onclick: () => write(word(`example.${no}`)),
    })));
    describe();
    count();
  }

  byId("composer").addEventListener("submit", submit);
  prompt.addEventListener("input", () => write(prompt.value));
  prompt.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) submit(event);
  });
  select.addEventListener("change", () => {
    choose();
    changed();
  });
  startCurlButton(byId("form-curl"), command);
  onLanguage(speak);

  return {
    send,
    /** Show the models, the free one first, and what was typed before. */
    offer(list) {
      models = list.sort((a, b) => Number(b.name === "animatic") - Number(a.name === "animatic"));
      select.replaceChildren(...models.map((one) => element("option", { value: one.name, text: one.name })));
      const draft = draftOf(kept.get("draft"));
      prompt.value = draft.prompt ?? word("example.1");
      choose(draft);
      speak();
      fail(models.length === 0 ? { message: word("model.none") } : null);
    },
    edit(task) {
      write(task.prompt);
      choose(task);
      changed();
      prompt.focus();
    },
  };
}

function draftOf(text) {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {};
  }
}

/** Make a button copy what `text` gives, and say so where it stands. */
export function startCurlButton(button, text) {
  const show = () => button.replaceChildren(icon("curl"), element("span", { text: "curl" }));
  show();
  button.addEventListener("click", async () => {
    const done = await copy(text());
    const said = element("span", { role: "status", text: word(done ? "copied" : "copy.failed") });
    button.replaceChildren(icon(done ? "succeeded" : "failed"), said);
    setTimeout(show, 2000);
  });
  return button;
}
