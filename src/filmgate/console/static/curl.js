const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/** Write a request as a command that works when pasted; a picture is read from its file, not from this text. */
export function curlOf({ image, ...request }, origin, picture = null) {
  const head = [
    `curl ${origin}/gate/v1/tasks`,
    `-H "Authorization: Bearer $FILMGATE_API_KEY"`,
    `-H 'Content-Type: application/json'`,
  ];
  const said = JSON.stringify(request);
  if (!picture) return [...head, `-d ${quoted(said)}`].join(" \\\n  ");
  const start = `${said.slice(0, -1)},"image":"data:${picture.type};base64,`;
  const parts = [`printf %s ${quoted(start)}`, `base64 < ${quoted(picture.name)} | tr -d '\\n'`, `printf %s '"}'`];
  return `{ ${parts.join("; ")}; } | ${[...head, "-d @-"].join(" \\\n  ")}`;
}

export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text);
  }
}

// The clipboard's own interface is missing over plain HTTP from another machine.
function copyBySelection(text) {
  const area = document.createElement("textarea");
  const before = document.activeElement;
  area.value = text;
  area.className = "unseen";
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  before?.focus();
  return done;
}
