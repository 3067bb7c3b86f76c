// Headless Chromium for the walks: one page that asks nobody but the service, and what it complained of.
import { mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";

const tools = createRequire(new URL("../../tools/", import.meta.url));
const { chromium } = tools("playwright-core");

export const axeSource = tools.resolve("axe-core/axe.min.js");

/** A browser at `url` in a profile of its own. */
export async function open(url, { width = 1280, height = 900, locale = "en-GB" } = {}) {
  const profile = await mkdtemp(join(tmpdir(), "cps-browser."));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    headless: true,
    viewport: { width, height },
    locale,
    args: [
      "--no-sandbox", // CI's user is root
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
  context.setDefaultTimeout(15_000);
  const complaints = [];
  const page = await context.newPage();
  page.on("pageerror", (error) => complaints.push(`the page threw: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error" && /Content Security Policy/.test(message.text())) complaints.push(message.text());
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(url) && /^https?:/.test(request.url())) complaints.push(`the page asked ${request.url()}`);
  });
  const close = async () => {
    await context.close();
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  };
  return { page, complaints, close };
}

/** Runs a walk, says why it failed with a picture of what the page showed, and ends the process. */
export async function walked(browser, walk) {
  let failed = false;
  try {
    await walk();
  } catch (error) {
    failed = true;
    console.error(error);
    const picture = join(tmpdir(), "cps-browser-failure.png");
    await browser.page.screenshot({ path: picture, fullPage: true }).catch(() => {});
    console.error(`what the page showed: ${picture}`);
    for (const complaint of browser.complaints) console.error(complaint);
  } finally {
    await browser.close();
  }
  return !failed;
}
