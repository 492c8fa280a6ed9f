/** Builds the page the brain serves. The rule: nothing inline, every asset under /assets/. */
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

const brain = process.env.Z4J_BRAIN ?? "http://127.0.0.1:7700";

export default defineConfig({
  plugins: [react()],
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    cssCodeSplit: true,
    reportCompressedSize: false,
    rollupOptions: {
      output: {
        // Few requests beat small chunks: what most pages share travels with the shell.
        codeSplitting: {
          groups: [
            {
              name: "shell",
              test: /node_modules\/(react|react-dom|scheduler|@tanstack)\/|src\/(ui\/(Time|Count|Text|Icon|StateIcon|parts|media|clock|escape|format|ui\.module)|live\/|query\/|charts\/Sparkline|charts\/charts\.module|task\/CanButton)/,
            },
          ],
        },
      },
    },
  },
  server: { proxy: { "/api": { target: brain }, "/login": { target: brain } } },
  test: { environment: "jsdom", include: ["src/**/*.test.{ts,tsx}"] },
});
