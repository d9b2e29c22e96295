// The one way to the service: requests, waiting, and what went wrong in plain words.

import { askForKey, keyHeaders } from "./key.js";
import { sentence } from "./words.js";

const TIMEOUT = 120_000;
const TRIES = 4;
const BUSY = [429, 503];

/** A request that failed: `title` and `detail` are for the reader, `status` is 0 without an answer. */
export class Failure extends Error {
  constructor(title, detail, status = 0) {
    super(detail);
    this.title = title;
    this.detail = detail;
    this.status = status;
  }
}

/**
 * The service's answer to `method path`, a Response with status 2xx.
 *
 * `body` is a FormData or plain data for JSON. The reader is asked for a key where one is needed. A
 * service that is busy is asked again as late as it wishes, a few times; `onWait(seconds)` is told. Throws Failure, or AbortError through `signal`.
 */
export async function ask(path, { method = "GET", body, signal, onWait = () => {} } = {}) {
  const isForm = body === undefined || body instanceof FormData;
  const sent = isForm ? body : JSON.stringify(body);
  const type = isForm ? {} : { "Content-Type": "application/json" };
  for (let tried = 1; ; tried++) {
    const headers = { ...type, ...keyHeaders() };
    const response = await answered(path, { method, headers, body: sent }, signal);
    if (response.ok) return response;
    if (response.status === 401) {
      const refused = await failure(response);
      if (await askForKey(headers.Authorization && sentence(refused.detail))) continue;
      throw refused;
    }
    if (!BUSY.includes(response.status) || tried === TRIES) throw await failure(response);
    const seconds = Number(response.headers.get("Retry-After")) || 2 ** tried;
    onWait(seconds);
    await pause(1000 * seconds, signal);
  }
}

/** The JSON of an answer. */
export const askJson = async (path, options) => (await ask(path, options)).json();

async function answered(path, options, signal) {
  const ends = [AbortSignal.timeout(TIMEOUT), signal].filter(Boolean);
  try {
    return await fetch(path, { ...options, signal: AbortSignal.any(ends) });
  } catch (error) {
    if (signal?.aborted) throw error;
    if (error.name === "TimeoutError") {
      const minutes = TIMEOUT / 60_000;
      throw new Failure("No answer in time", `The service has not answered within ${minutes} minutes. Try again.`);
    }
    throw new Failure(
      "The service cannot be reached",
      "Check that search-api is running and that this computer can reach it, then try again.",
    );
  }
}

async function failure(response) {
  const problem = await response.json().catch(() => null);
  if (!problem?.title) {
    const status = `${response.status} ${response.statusText}`.trim();
    return new Failure("The service failed", `It answered ${status} and gave no reason.`, response.status);
  }
  return new Failure(problem.title, problem.detail, response.status);
}

function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}
