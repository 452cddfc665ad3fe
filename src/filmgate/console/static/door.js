import { byId, prose } from "./dom.js";
import * as gate from "./gate.js";

/** The key field; `entered` is called when the gate has taken a key. */
export function startDoor(entered) {
  const [door, key, notice] = ["door", "key", "door-notice"].map(byId);
  const say = (text) => notice.replaceChildren(...prose(text));
  door.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = door.querySelector("button");
    button.disabled = true;
    say("");
    try {
      await gate.signIn(key.value.trim());
      key.value = "";
      entered();
    } catch (error) {
      say(error.message);
      key.setAttribute("aria-invalid", "true");
      key.focus();
    } finally {
      button.disabled = false;
    }
  });
  key.addEventListener("input", () => key.removeAttribute("aria-invalid"));
  return {
    open(text = "") {
      document.body.dataset.view = "door";
      say(text);
      key.focus();
    },
  };
}
