import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

/** Where `meeshy serve` listens; the development server passes everything but the page itself on to it. */
const node = process.env.MEESHY_URL ?? "http://127.0.0.1:4000";

export default defineConfig({
  plugins: [react()],
  build: {
    target: "es2022",
    // Data URLs would need a wider content security policy than 'self'.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 700,
    reportCompressedSize: false,
    // The notices of everything bundled travel with it.
    license: { fileName: "licenses.md" },
  },
  server: {
    port: 5173,
    proxy: {
      "/api": node,
      "/socket.io": { target: node, ws: true },
    },
  },
});
