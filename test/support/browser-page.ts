import { mkdir } from 'node:fs/promises';
import { chromium, type Browser, type Page } from 'playwright-core';
import { requireProgram } from './require-program.js';
import { SHARED_BUILD } from './shared-build.js';

const OPTIONS = [
  '--no-sandbox',
  '--disable-background-networking',
  '--disable-component-update',
  '--no-first-run',
  '--disable-gpu',
  // Otherwise each page that comes from another address has a process of its own to start.
  '--renderer-process-limit=1',
];

export interface BrowserPage extends AsyncDisposable {
  readonly page: Page;
}

/** Of this worker, for all its files: a browser takes more than two seconds of processor time to start. */
let shared: Promise<Browser> | undefined;

/** An empty page with a profile of its own; `await using` closes it. What the page waits for has no limit but the test's. */
export async function openPage(): Promise<BrowserPage> {
  const run = process.env[SHARED_BUILD];
  const browser = run === undefined ? await launch() : await sharedBrowser(`${run}-chromium-${process.pid}`);
  const page = await browser.newPage();
  page.setDefaultTimeout(0);
  return { page, [Symbol.asyncDispose]: () => (run === undefined ? browser.close() : page.context().close()) };
}

async function sharedBrowser(folder: string): Promise<Browser> {
  if (shared !== undefined && !(await shared).isConnected()) shared = undefined;
  return (shared ??= launchIn(folder));
}

/** It ends with this worker, because its pipe ends. What it leaves in the folder goes with what the run has built. */
async function launchIn(folder: string): Promise<Browser> {
  await mkdir(folder, { recursive: true });
  const { TMPDIR } = process.env;
  // Read by Playwright for the profile. Chromium has its socket where it always has it: the path of a socket must be short.
  process.env.TMPDIR = folder;
  try {
    return await launch({ ...process.env, TMPDIR });
  } finally {
    if (TMPDIR === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = TMPDIR;
  }
}

function launch(env = process.env): Promise<Browser> {
  const executablePath = requireProgram('chromium');
  return chromium.launch({ executablePath, args: OPTIONS, env, handleSIGTERM: false, timeout: 0 });
}
