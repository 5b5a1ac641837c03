/** How long the emulator takes inside a process, from the call to `ready`. NOT WIRED YET. Answers {"ready":true,"ms":N}. */
process.stderr.write('bench/ours/emulator-start.ts is not wired to src/index.ts yet\n');
process.exit(1);
