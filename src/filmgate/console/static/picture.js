import { byId, icon } from "./dom.js";
import { number, onLanguage, word } from "./language.js";

export const PICTURE_BYTES = 20 * 1024 * 1024;
const KINDS = ["image/jpeg", "image/png", "image/webp"];

const asDataUri = (file) => new Promise((resolve, reject) => {
  const reader = new FileReader();
  reader.onload = () => resolve(reader.result);
  reader.onerror = reject;
  reader.readAsDataURL(file);
});

/** The optional first picture, by file, drop or paste; `said` is told what is wrong with one. */
export function startPicture(said) {
  let picture = null;
  let wanted = true;
  const [field, drop, input, preview, remove] =
    ["picture-field", "drop", "picture", "preview", "picture-remove"].map(byId);

  async function take(file) {
    if (!file || !wanted) return;
    const name = file.name || word("picture");
    const megabytes = (bytes) => number(bytes / 1e6, 1);
    if (!KINDS.includes(file.type)) return said(word("picture.kind", { name }));
    if (file.size > PICTURE_BYTES) {
      return said(word("picture.large", { name, size: megabytes(file.size), limit: megabytes(PICTURE_BYTES) }));
    }
    try {
      put({ name, type: file.type, address: await asDataUri(file), shown: URL.createObjectURL(file) });
      said("");
    } catch {
      said(word("picture.unread", { name }));
    }
  }

  function put(next) {
    if (picture && picture.shown !== next?.shown) URL.revokeObjectURL(picture.shown);
    picture = next;
    input.value = "";
    drop.classList.toggle("full", Boolean(picture));
    preview.hidden = remove.hidden = !picture;
    byId("drop-hint").hidden = Boolean(picture);
    if (picture) preview.src = picture.shown;
    else preview.removeAttribute("src");
    name();
  }

  function name() {
    preview.alt = picture?.name ?? "";
    remove.setAttribute("aria-label", word("picture.remove", { name: picture?.name ?? "" }));
  }

  byId("drop-hint").prepend(icon("picture"));
  remove.append(icon("remove"));
  remove.addEventListener("click", () => {
    put(null);
    input.focus();
  });
  input.addEventListener("change", () => take(input.files[0]));
  document.addEventListener("paste", (event) => take([...event.clipboardData.files][0]));
  // A picture that misses the field must not replace the page.
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
  document.addEventListener("dragleave", (event) => event.relatedTarget ?? drop.classList.remove("over"));
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    take(event.dataTransfer.files[0]);
  });
  onLanguage(name);
  return {
    value: () => (wanted ? picture : null),
    allow(yes) {
      wanted = yes;
      field.hidden = !yes;
    },
  };
}
