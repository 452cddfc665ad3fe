import { currentLanguage, word } from "./language.js";

const SENDS = 3;
// A proxy says these when the gate's answer did not reach it: the order may have been taken.
const LOST = new Set([502, 504]);

/** What the gate said no to, or `unreachable` where it said nothing. */
export class GateError extends Error {
  constructor(code, message, status = 0, field = null) {
    super(message);
    Object.assign(this, { code, status, field });
  }
}

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function ask(path, { method = "GET", body, headers = {}, signal } = {}) {
  const said = { accept: "application/json", "accept-language": currentLanguage(), "x-filmgate-page": "1", ...headers };
  if (body !== undefined) said["content-type"] = "application/json";
  const sent = body === undefined ? undefined : JSON.stringify(body);
  let status;
  let text;
  try {
    const response = await fetch(path, { method, headers: said, body: sent, signal, credentials: "same-origin" });
    status = response.status;
    text = await response.text();
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new GateError("unreachable", word("unreachable"));
  }
  const answer = read(text);
  if (status < 300 && (answer || status === 204)) return answer;
  const { code = LOST.has(status) ? "unreachable" : "odd", message, details } = answer?.error ?? {};
  throw new GateError(code, message ?? word("odd", { status }), status, details?.field);
}

function read(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

export const models = async () => (await ask("gate/v1/models")).data.filter((model) => model.available);
export const films = async (limit) => (await ask(`gate/v1/tasks?limit=${limit}`)).data;
export const film = (id) => ask(`gate/v1/tasks/${encodeURIComponent(id)}`);
export const signIn = (key) => ask("signin", { method: "POST", body: { key } });
export const signOut = () => ask("signout", { method: "POST" });

/** Answer at the next change after `version`, or unchanged after twenty seconds. */
export function nextVersion(id, version, signal) {
  return ask(`gate/v1/tasks/${encodeURIComponent(id)}?wait=20&after=${version}`, { signal });
}

/** A fresh Idempotency-Key; `randomUUID` is missing over plain HTTP. */
export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Order a film; a lost reply is asked for again under the same key, which never makes a second film. */
export async function order(request, key) {
  for (let sent = 1; ; sent += 1) {
    try {
      return await ask("gate/v1/tasks", { method: "POST", body: request, headers: { "idempotency-key": key } });
    } catch (error) {
      if (error.code !== "unreachable" || sent === SENDS) throw error;
      await pause(sent * 600);
    }
  }
}

/** Signed links name the gate's public address; the page opens them at the address that it came from. */
export function local(address) {
  if (!address) return null;
  const { pathname, search } = new URL(address, location.href);
  return pathname + search;
}
