// Takes pictures of every scene in every size, light and dark: `npm run screens [scene ...]`, then look at screens/out.
import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { createServer } from "vite";

const SIZES = {
  desktop: [1920, 1080],
  laptop: [1366, 768],
  tablet: [768, 1024],
  phone: [375, 667],
  "phone-wide": [667, 375],
};
const out = process.env.SCREENS_OUT ?? fileURLToPath(new URL("out/", import.meta.url));
mkdirSync(out, { recursive: true });
const [asked, sizes, schemes] = [
  process.argv[2]?.split(","),
  process.argv[3]?.split(",") ?? Object.keys(SIZES),
  process.argv[4]?.split(",") ?? ["light", "dark"],
];
const server = await createServer({ server: { port: 0, host: "127.0.0.1" }, logLevel: "error" });
await server.listen();
const base = server.resolvedUrls.local[0];
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--autoplay-policy=no-user-gesture-required"],
});
const page = await browser.newPage();
page.on("console", (message) => {
  if (message.type() === "error") console.log("console:", message.text());
});
page.on("pageerror", (error) => console.log("page:", error.message));
await page.goto(`${base}screens/scene.html`);
const scenes = asked ?? (await page.evaluate(() => window.sceneNames));
for (const scene of scenes) {
  await page.goto(`${base}screens/scene.html?scene=${scene}`);
  for (const size of sizes) {
    const [width, height] = SIZES[size];
    await page.setViewportSize({ width, height });
    for (const scheme of schemes) {
      await page.emulateMedia({ colorScheme: scheme });
      await new Promise((resolve) => setTimeout(resolve, 900));
      // The one page that is longer than a screen on purpose.
      const fullPage = scene.startsWith("operator");
      await page.screenshot({ path: `${out}/${scene}-${size}-${scheme}.png`, fullPage });
    }
  }
}
await browser.close();
await server.close();
