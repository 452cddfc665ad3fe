import * as gate from "./gate.js";

const ENDS = new Set(["succeeded", "failed", "cancelled", "expired"]);
const SLOWEST_RETRY_MS = 10000;

export const ended = (task) => ENDS.has(task.state);

/** Follow a task to its end; `changed` gets each answer, `lost` tells that the line is down. */
export async function follow(task, { changed, lost, gone }, signal) {
  let failures = 0;
  let current = task;
  while (!ended(current) && !signal.aborted) {
    try {
      current = await gate.nextVersion(current.id, current.version, signal);
      failures = 0;
      if (!signal.aborted) changed(current);
    } catch (error) {
      if (signal.aborted) return;
      if (error.status === 401 || error.status === 404) return gone(error);
      failures += 1;
      lost();
      await gate.pause(Math.min(500 * 2 ** failures, SLOWEST_RETRY_MS));
    }
  }
}
