// How the page is built: hashed names, nothing inline (its policy is `default-src 'self'`), nothing from the internet.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';
import { errorHelp } from './error-help.js';

const root = dirname(fileURLToPath(import.meta.url));
const inBrowser = (name) => join(root, 'src', 'browser', name);

export default defineConfig({
  root,
  base: './',
  plugins: [errorHelp(join(root, '..', 'docs', 'errors.md'))],
  resolve: {
    alias: {
      // The rooms below read texts by the same rules here; what they ask of Node for that is small.
      'node:net': inBrowser('net.ts'),
      'node:crypto': inBrowser('crypto.ts'),
    },
  },
  build: {
    outDir: join(root, '..', 'dist', 'dashboard'),
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: 'es2023',
  },
  logLevel: 'warn',
});
